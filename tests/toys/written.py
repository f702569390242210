"""Toys that are written as recipes: a YAML file beside this one, and how a case is drawn."""

from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from toys.toy import Toy
from wholecase.assemble import batches_of, model_of, schedule_of
from wholecase.core.kinds import RGB
from wholecase.models import BACKBONES, Backbone, CaseModel
from wholecase.recipes import read_recipe
from wholecase.training import Example


def written(
    name: str,
    example: Callable[[np.random.Generator, int, str], Example],
    networks: Mapping[str, type[Backbone]] | None = None,
    *overrides: str,
) -> Toy:
    """The recipe `name`.yaml as a toy; `networks` stand in the table while it is built."""
    recipe = read_recipe(str(Path(__file__).with_name(f"{name}.yaml")), overrides)

    def model() -> CaseModel:
        with patch.dict(BACKBONES, networks or {}):
            return model_of(recipe, RGB.channels, 2, seed=int(torch.randint(2**31, ())))

    return Toy(
        model,
        example,
        schedule_of(recipe),
        batches=lambda examples, seed: batches_of(recipe, examples, seed),
    )
