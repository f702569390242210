"""What is known of cases, as rows of numbers that heads learn."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.cohort import Case, identity_key
from wholecase.core.digest import digest


def targets_of(cases: Sequence[Case], classes: int) -> dict[str, Tensor]:
    """Of each target a row per case: a 1 for its class, or nan where it has no such label.

    Args:
        cases: read by one recipe, so that they have the same further targets.
        classes: of the label that decides; with 0, or where a case lacks it, there are no targets.
    """
    labels = [case.target for case in cases]
    known = [label for label in labels if label is not None]
    if not classes or len(known) < len(labels):
        return {}
    found = {"label": _rows(known, classes)}
    for targets in zip(*(case.targets for case in cases), strict=True):
        first = targets[0]
        found[first.name] = _rows([target.index for target in targets], first.classes)
    return found


def covariates_of(cases: Sequence[Case]) -> Float[Tensor, "B R"] | None:
    """What clinical columns tell of each case: numbers, and categories as codes; nan is missing.

    None where the recipe asks for none.
    """
    if not cases or not cases[0].covariates:
        return None
    rows = [[_number(one.value) for one in case.covariates] for case in cases]
    return torch.tensor(rows, dtype=torch.float64)


def _number(value: float | str | None) -> float:
    """A category is known by 48 bits of its digest, in whatever spelling `identity_key` allows."""
    if value is None:
        return float("nan")
    if isinstance(value, str):
        return float(int(digest(category=identity_key(value))[:12], 16))
    return value


def _rows(indices: Sequence[int | None], classes: int) -> Float[Tensor, "B C"]:
    rows = torch.full((len(indices), classes), torch.nan)
    there = [i for i, index in enumerate(indices) if index is not None]
    known = [index for index in indices if index is not None]
    rows[there] = torch.eye(classes)[known]
    return rows
