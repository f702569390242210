"""Losses and miners of pytorch-metric-learning, all on the distance between unit vectors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up, options_of
from wholecase.core.table import Table

TRIPLETS = "TripletMarginLoss"
SOFT = "soft"
FARTHEST = 2.0
"""Between unit vectors: the margin of mining where the loss has none."""

Mine = Callable[[Tensor, Tensor], Any]


@dataclass(frozen=True)
class Mining:
    """How triplets are chosen from a batch, first and later."""

    first: Mine
    """Semi-hard: all whose negative is farther off than the positive, by less than the margin."""
    later: Mine
    """Hard: of each anchor the farthest positive with the nearest negative (Hermans 2017)."""


def metric_loss(name: str, options: Mapping[str, Any], *, classes: int, width: int) -> nn.Module:
    """A loss of the library, or of one's own, by its name, ready for vectors of this width.

    What a loss asks for of `num_classes` and `embedding_size` it is given.

    Raises:
        RecipeError: there is none of that name, or it compares by another distance than that of
            unit vectors, or needs more than vectors and labels.
    """
    kind: Any = look_up(loss_table(), name, "loss of pytorch-metric-learning")
    known = {"num_classes": classes, "embedding_size": width}
    given = {key: value for key, value in known.items() if key in options_of(kind)}
    try:
        loss: nn.Module = kind(**given, **options)
        _try(loss, width)
    except (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError) as error:
        raise RecipeError(
            f"the loss {name!r} cannot teach the head `neighbours` with {dict(options)}: {error}"
        ) from error
    if not _of_unit_vectors(loss):
        raise RecipeError(
            f"the loss {name!r} compares by another distance than that of unit vectors, by which "
            f"neighbours are found; use {TRIPLETS!r} or another"
        )
    return loss


def loss_table() -> Table[type[nn.Module]]:
    """The losses of the library by their names; it is loaded for it."""
    from pytorch_metric_learning import losses

    own = {key: kind for key, kind in vars(losses).items() if key.endswith("Loss")}
    return Table("loss", own, nn.Module, ("num_classes", "embedding_size"))


def triplet_loss(margin: float | str) -> nn.Module:
    """Triplets with a margin on the distance, or `soft`: log(1 + exp(positive - negative)).

    Raises:
        RecipeError: the margin is neither.
    """
    from pytorch_metric_learning import losses

    if margin == SOFT:
        soft: nn.Module = losses.TripletMarginLoss(margin=0.0, smooth_loss=True)
        return soft
    if isinstance(margin, str) or not 0 < margin <= FARTHEST:
        raise RecipeError(
            f"the margin of the head `neighbours` is more than 0 and up to {FARTHEST:g}, or "
            f"{SOFT!r}, not {margin!r}"
        )
    hard: nn.Module = losses.TripletMarginLoss(margin=margin)
    return hard


def mining(margin: float | str) -> Mining:
    """By the distance and the margin that the triplets are taught by."""
    from pytorch_metric_learning import miners

    within = FARTHEST if isinstance(margin, str) else margin
    semi = miners.TripletMarginMiner(margin=within, type_of_triplets="semihard")
    return Mining(semi, miners.BatchHardMiner())


def _try(loss: nn.Module, width: int) -> None:
    """Four vectors of two classes: what needs more than these says so now."""
    vectors = torch.linspace(-1, 1, 4 * width).reshape(4, width)
    with torch.no_grad():
        loss(vectors, torch.tensor([0, 0, 1, 1]))


def _of_unit_vectors(loss: nn.Module) -> bool:
    """Whether it orders pairs as the distance between unit vectors does."""
    from pytorch_metric_learning import distances

    distance = getattr(loss, "distance", None)
    known = distances.LpDistance, distances.DotProductSimilarity, distances.CosineSimilarity
    return isinstance(distance, known) and distance.normalize_embeddings and distance.p == 2
