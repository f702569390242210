"""Decides, and knows the loss that teaches it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest
from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.nearest_cases import Near


class Head(nn.Module, ABC):
    """Every member is built as `Member(width, branches, classes, **options)`.

    Four questions are all that the loop asks: logits, loss, remember, probabilities. What can only
    be set once all is learnt, such as a number of neighbours, a head offers under `candidates`.
    """

    remembers: ClassVar[bool] = False
    """Whether it must see the training cases before every judgement (nearest neighbours)."""

    no_onnx: ClassVar[str] = ""
    """Why it cannot be exported to ONNX; empty where it can, or where nobody knows yet."""

    @property
    @abstractmethod
    def logit_width(self) -> int:
        """L, numbers per judgement."""

    def turn(self, epoch: int) -> None:
        """An epoch of learning begins; nothing happens where a head learns alike in all."""

    @abstractmethod
    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M L"]:
        """Judge M embeddings: cases, or single instances under `decide: instance`."""

    @abstractmethod
    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """What training lowers: a mean over the cases of the batch, never over instances."""

    def penalty(self) -> Tensor | float:
        """What training adds to the loss for the weights themselves; nothing for most heads.

        It is no part of `loss`: learning curves and early stopping compare what the cases cost.
        """
        return 0.0

    def figures(self) -> dict[str, float]:
        """What the epoch that was learnt last shows of how learning goes: name -> number.

        Asked once the training cases were shown to `remember`; nothing for most heads.
        """
        return {}

    def remember(self, answers: Iterable[Answer]) -> None:
        """Keep what judging needs of the training cases; most heads need nothing."""

    def remembered(self, answers: Iterable[Answer]) -> dict[str, Tensor]:  # noqa: ARG002 (as below)
        """What `remember` would keep of these cases, by name; nothing for most heads."""
        return {}

    def add(self, kept: Mapping[str, Tensor]) -> None:
        """Keep what was `remembered` of further cases beside what there is."""

    def neighbours(self, answer: Answer) -> Near | None:  # noqa: ARG002 (for those that do)
        """The remembered cases that decide; None where a head does not decide by any."""
        return None

    def nearest(
        self,
        logits: Float[Tensor, "B L"],  # noqa: ARG002 (for those that remember)
        patients: Int[Tensor, " B"],  # noqa: ARG002
    ) -> Near | None:
        """The same by the `codes` of the cases' patients, as a graph knows them."""
        return None

    def candidates(self) -> Mapping[str, tuple[Any, ...]]:
        """What may be chosen on inner patients once all is learnt: name -> the values to try."""
        return {}

    def adopt(self, chosen: Mapping[str, Any]) -> None:
        """Judge by these values from now on; a head that offers candidates takes them.

        Raises:
            RecipeError: the head has no such choice.
        """
        for name in chosen:
            raise RecipeError(
                f"the head {type(self).__name__} has no choice {name!r} to make"
                f"{nearest(name, self.candidates())}"
            )

    @abstractmethod
    def probabilities(self, answer: Answer) -> Float[Tensor, "B C"]:
        """One row per case that sums to 1; a patient's own cases are never its neighbours."""
