"""Answers with dropout left on, as Gal 2016 asks a network how sure it is."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import seed_of
from wholecase.models.batch import Answer, Batch
from wholecase.models.case_model import CaseModel, device_of
from wholecase.models.predict import answers_only

PASSES = 10
"""Answers of each batch."""


def dropped_answers(
    model: CaseModel, batches: Iterable[Batch], *, share: float, seed: int
) -> Iterator[tuple[Batch, tuple[Answer, ...]]]:
    """Each batch with `PASSES` answers, for each of which other numbers are dropped.

    A batch goes through the network and the pooling of features in evaluation mode; only hidden
    layers of the heads drop `share` of their numbers, by the seed and the place of the batch.

    Raises:
        RecipeError: no head has a hidden layer.
    """
    for number, batch in enumerate(batches):
        device = device_of(model)
        forked = torch.random.fork_rng([device] if device.type == "cuda" else [])
        with forked, answers_only(model), _dropping(model, share):
            torch.manual_seed(seed_of(seed, "dropped", number))
            here = batch.to(device)
            embedded = model.embedded(here)
            said = tuple(model.decided(embedded, here) for _ in range(PASSES))
        yield batch, said


def layers_that_drop(model: CaseModel) -> list[nn.Dropout]:
    """Of all heads.

    Raises:
        RecipeError: there are none.
    """
    heads = (model.head, model.also)
    found = [part for head in heads for part in head.modules() if isinstance(part, nn.Dropout)]
    if not found:
        raise RecipeError(
            "train.validation_dropout drops numbers of the heads' hidden layers, and there are "
            "none; give model.head.hidden, or set it to 0"
        )
    return found


@contextmanager
def _dropping(model: CaseModel, share: float) -> Iterator[None]:
    """Within, the heads' dropout is awake; the share of each layer is put back."""
    layers = layers_that_drop(model)
    shares = [layer.p for layer in layers]
    for layer in layers:
        layer.p = share
        layer.train()
    try:
        yield
    finally:
        for layer, own in zip(layers, shares, strict=True):
            layer.p = own
