"""Pool decisions: instance logits -> case logit, for recipes that `decide: instance`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.table import Table
from wholecase.models.segments import (
    owners,
    segment_argmax,
    segment_max,
    segment_mean,
    segment_softmax,
    segment_sum,
)


@dataclass(frozen=True)
class Decided:
    """The case's logits, and how much each instance had to do with them."""

    logits: Float[Tensor, "B L"]
    weights: Float[Tensor, "T L"]
    """Within a bag they sum to 1."""


class Pooling(nn.Module, ABC):
    """Every member is built as `Member(**options)`.

    Only instances of a weight above zero may move the case's logits.
    """

    few: ClassVar[bool] = False
    """Whether most instances of a large bag weigh nothing, so that learning can pass them over."""

    no_onnx: ClassVar[str] = ""
    """Why it cannot be exported to ONNX; empty where it can, or where nobody knows yet."""

    def turn(self, epoch: int) -> None:
        """An epoch of learning begins; nothing happens where a rule stays the same."""

    @abstractmethod
    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """Pool each bag on its own."""


@final
class MaxLogit(Pooling):
    """The most suspicious instance decides, per logit."""

    few = True

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """The first of equals wins."""
        return highest(logits, starts)


@final
class MeanLogit(Pooling):
    """All instances have the same say."""

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """Average the logits."""
        share = (1 / starts.diff().to(logits.dtype))[owners(starts, logits.shape[0])]
        return Decided(
            logits=segment_mean(logits, starts), weights=share[:, None].expand(logits.shape)
        )


@final
class TopK(Pooling):
    """The mean of the most suspicious instances, per logit; a smaller bag gives all it has.

    Args:
        k: how many instances.
    """

    few = True

    def __init__(self, *, k: int = 3) -> None:
        super().__init__()
        if k < 1:
            raise RecipeError(f"model.pooling.k is 1 or more, not {k}")
        self._k = k

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """The first of equals counts."""
        scores = logits.detach()
        if torch.compiler.is_exporting():
            weights = self._picked(scores)
        else:
            bags = torch.split(scores, starts.diff().tolist())
            weights = torch.cat([self._shares(bag) for bag in bags])
        return Decided(logits=segment_sum(weights * logits, starts), weights=weights)

    def _shares(self, bag: Float[Tensor, "N L"]) -> Float[Tensor, "N L"]:
        k = min(self._k, len(bag))
        first = bag.argsort(dim=0, descending=True, stable=True)[:k]
        return torch.zeros_like(bag).scatter(0, first, 1 / k)

    def _picked(self, bag: Float[Tensor, "N L"]) -> Float[Tensor, "N L"]:
        """The same of a single bag, one by one: in a graph it has neither size nor order."""
        bounds = torch.arange(2) * bag.shape[0]
        chosen, left = torch.zeros_like(bag), bag
        for _ in range(self._k):  # of a smaller bag the last ones choose again what is chosen
            top = segment_argmax(left, bounds)
            chosen = chosen.scatter(0, top, 1.0)
            left = left.scatter(0, top, -torch.inf)
        return chosen / chosen.sum(0)


@final
class LogSumExp(Pooling):
    """Between mean and maximum: a smooth maximum of the logits (Pinheiro 2015).

    log(mean(exp(r x))) / r, so that a bag of equal logits keeps them whatever its size.

    Args:
        sharpness: r; near 0 it is the mean, and the maximum as it grows.
        sharpens: `[epoch, r]` from further epochs on, such as `[[5, 5.0], [12, max]]`. While it is
            soft, all instances learn; a model keeps the one of its best epoch.
    """

    sharpness: Tensor

    def __init__(
        self,
        *,
        sharpness: float = 1.0,
        sharpens: Sequence[Sequence[Any]] = (),
    ) -> None:
        super().__init__()
        self._course = dict(_sharp(step) for step in ([0, sharpness], *sharpens))
        self.register_buffer("sharpness", torch.tensor(self._course[0]), persistent=bool(sharpens))
        self._now = self._course[0]  # the same as a number, which a graph that is exported needs
        self.register_load_state_dict_post_hook(LogSumExp._loaded)  # type: ignore[no-untyped-call]

    def turn(self, epoch: int) -> None:
        """The latest of its course."""
        begun = max(start for start in self._course if start <= epoch)
        self._now = self._course[begun]
        self.sharpness.fill_(self._now)

    def _loaded(self, _: object) -> None:
        self._now = float(self.sharpness)

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """An instance weighs what a small change of its logit moves."""
        sharpness = self._now
        if math.isinf(sharpness):
            return highest(logits, starts)
        scaled = sharpness * logits
        top = segment_max(scaled.detach(), starts)
        grown = (scaled - top[owners(starts, logits.shape[0])]).exp()
        pooled = (segment_mean(grown, starts).log() + top) / sharpness
        return Decided(logits=pooled, weights=segment_softmax(scaled, starts))


def highest(logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
    """The maximum of each bag; the first of equals wins."""
    winners = segment_argmax(logits.detach(), starts)  # [B, L]
    weights = logits.new_zeros(logits.shape).scatter(0, winners, 1.0)
    return Decided(logits=logits.gather(0, winners), weights=weights)


def _sharp(step: Sequence[Any]) -> tuple[int, float]:
    """An epoch, and the sharpness from then on."""
    epoch, value = step if len(step) == 2 else (None, None)
    sharp = math.inf if value == "max" else value
    known = isinstance(sharp, int | float) and not isinstance(sharp, bool) and sharp > 0
    if not known or not isinstance(epoch, int) or epoch < 0:
        raise RecipeError(
            "model.pooling.sharpness is more than 0, and sharpens is a list of [epoch, more than 0 "
            f"or max], not {list(step)}"
        )
    return epoch, float(sharp)  # type: ignore[arg-type]


@final
class NoisyOr(Pooling):
    """Positive if any instance is, each taken as independent of the others: 1 - prod(1 - p).

    The logit is never below the highest of the bag, and grows with the number of instances
    (Maron 1998). An instance weighs its share of -log(1 - p), which add up over the bag.
    """

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """Log odds, exact where p is near 0 or 1."""
        each = nn.functional.softplus(logits).clamp_min(torch.finfo(logits.dtype).tiny)
        whole = segment_sum(each, starts)  # -log of the chance that none is positive
        weights = each.detach() / whole.detach()[owners(starts, logits.shape[0])]
        return Decided(logits=whole + (-torch.expm1(-whole)).log(), weights=weights)


POOLINGS: Table[type[Pooling]] = Table(
    "pooling",
    {
        "max": MaxLogit,
        "mean": MeanLogit,
        "top_k": TopK,
        "log_sum_exp": LogSumExp,
        "noisy_or": NoisyOr,
    },
    Pooling,
)
