"""An embedding taught by comparing cases; the nearest training cases of other patients vote."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.compared import active_share, mean_deviation, mean_distance
from wholecase.models.heads.head import Head
from wholecase.models.heads.layers import Judge
from wholecase.models.heads.metric_losses import TRIPLETS, Mining, metric_loss, mining, triplet_loss
from wholecase.models.heads.nearest_cases import Near, codes, nearest_cases, vote

BEFORE = 5
"""Neighbours that vote until their number is chosen."""
COUNTS = (1, 3, 5, 7, 11, 15, 21, 31)


@final
class Neighbours(Head):
    """A linear layer, or several, to a unit vector; k nearest remembered cases vote.

    Learning lowers a loss that compares the cases of a step (Schroff 2015), so that steps must hold
    several cases of each class: `batches: classes`. Judging, the loss is the log loss of the vote,
    which like the vote owes nothing to who is judged together.

    One distance serves mining, loss and neighbours: that between unit vectors. Neighbours vote by
    the inverse of it. A patient's own cases are never among them; where fewer than k are left these
    vote, and the vote is less sure.

    Args:
        width: numbers per embedding of a case.
        classes: how many.
        branches: must be 1.
        hidden: widths of the layers before the last.
        size: numbers of the vector by which cases are compared.
        dropout: after each hidden layer.
        loss: a loss of pytorch-metric-learning by its name, or `{name: ..., options}`.
        margin: of the triplets: by how much another class must be farther off than the own, or
            `soft`. Triplets have 0.5 where it is not given.
        hard_from: the epoch from which on triplets are hard; semi-hard before. Other losses take
            all pairs of a step.
        k: neighbours that vote; null chooses an odd number on inner patients.
        most: the highest k to choose from, at most 31.
    """

    remembers = True
    memory: Tensor
    memory_label: Tensor
    memory_patient: Tensor
    memory_case: Tensor

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int,
        branches: int = 1,
        *,
        hidden: Sequence[int] = (),
        size: int = 128,
        dropout: float = 0.0,
        loss: str | Mapping[str, Any] = TRIPLETS,
        margin: float | int | str | None = None,
        hard_from: int = 10,
        k: int | None = None,
        most: int = 31,
    ) -> None:
        super().__init__()
        _check(branches, size, k, most)
        self._k, self._is_chosen, self._most = k or BEFORE, k is None, most
        self.judge = Judge(width, size, hidden=hidden, dropout=dropout)
        self._mining: Mining | None = None
        named = {"name": loss} if isinstance(loss, str) else dict(loss)
        name = named.pop("name", None)
        if name == TRIPLETS and not named:
            margin = 0.5 if margin is None else margin
            self.teacher = triplet_loss(margin)
            self._mining = mining(margin)
        elif margin is not None:
            raise RecipeError(
                f"margin is of {TRIPLETS!r} by its name alone; give {name!r} its options under "
                "`loss`, and remove margin"
            )
        else:
            self.teacher = metric_loss(str(name), named, classes=classes, width=size)
        self._epoch, self._hard_from = 0, hard_from
        self._margin = 0.0 if margin is None or isinstance(margin, str) else float(margin)
        self._active: list[Tensor] = []
        self.register_buffer("memory", torch.zeros(0, size))
        self.register_buffer("memory_label", torch.zeros(0, classes))
        self.register_buffer("memory_patient", torch.zeros(0, dtype=torch.long))
        self.register_buffer("memory_case", torch.zeros(0, dtype=torch.long))

    @property
    def logit_width(self) -> int:
        """Numbers of the vector by which cases are compared."""
        return self.judge.last.out_features

    def logits(self, embedding: Float[Tensor, "M 1 E"]) -> Float[Tensor, "M L"]:
        """The vector before it is brought to length 1, so that those of images can be averaged."""
        judged: Tensor = self.judge(embedding)
        return judged

    def turn(self, epoch: int) -> None:
        """Triplets become hard at their epoch."""
        self._epoch, self._active = epoch, []

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Of comparisons within the step while learning, else the mean log loss of the vote."""
        label = batch.targets["label"]
        if not self.training:
            return -(label * self.probabilities(answer).log()).sum(1).mean()
        vectors, classes = F.normalize(answer.logits), label.argmax(1)
        self._active.append(active_share(vectors.detach(), classes, self._margin))
        compared: Tensor = self.teacher(vectors, classes, self._mined(vectors, classes))
        return compared

    def _mined(self, vectors: Float[Tensor, "B L"], classes: Int[Tensor, " B"]) -> Any:  # noqa: ANN401 (the library's own)
        if self._mining is None:
            return None
        is_hard = self._epoch >= self._hard_from
        return (self._mining.later if is_hard else self._mining.first)(vectors, classes)

    def figures(self) -> dict[str, float]:
        """The share of triplets that are active, and how far the training cases lie apart.

        `active_triplets` is the mean over the steps (`active_share`, with the margin of the loss;
        0 where it has none), `embedding_distance` that between two training cases as they are
        judged, `embedding_deviation` the standard deviation of a dimension, the mean over all.
        """
        told = {}
        if self._active:
            told["active_triplets"] = float(torch.stack(self._active).nanmean())
        if len(self.memory) > 1:
            told["embedding_distance"] = mean_distance(self.memory)
            told["embedding_deviation"] = mean_deviation(self.memory)
        return {name: value for name, value in told.items() if math.isfinite(value)}

    def remember(self, answers: Iterable[Answer]) -> None:
        """Keep vector and label of each training case, and its and its patient's id as codes."""
        for name, kept in self.remembered(answers).items():
            setattr(self, name, kept)

    def remembered(self, answers: Iterable[Answer]) -> dict[str, Tensor]:
        """Vector and label of each case, and its and its patient's id as codes."""
        seen = list(answers)
        where = self.memory.device
        return {
            "memory": torch.cat([F.normalize(answer.logits) for answer in seen]),
            "memory_label": torch.cat([answer.targets["label"] for answer in seen]).to(where),
            "memory_patient": codes(name for one in seen for name in one.patients).to(where),
            "memory_case": codes(name for one in seen for name in one.cases).to(where),
        }

    def add(self, kept: Mapping[str, Tensor]) -> None:
        """The same cases vote as before, and these."""
        for name, more in kept.items():
            there: Tensor = getattr(self, name)
            setattr(self, name, torch.cat([there, more.to(there)]))

    def neighbours(self, answer: Answer) -> Near:
        """The k remembered cases of other patients that are nearest to each case."""
        return self.nearest(answer.logits, codes(answer.patients).to(self.memory.device))

    def nearest(self, logits: Float[Tensor, "B L"], patients: Int[Tensor, " B"]) -> Near:
        """The same by the `codes` of the cases' patients."""
        asked = F.normalize(logits), patients
        found = nearest_cases(asked, (self.memory, self.memory_patient), self._k)
        where = found.index
        return Near(
            case=self.memory_case[where],
            patient=self.memory_patient[where],
            label=self.memory_label[where],
            distance=found.distance,
        )

    def candidates(self) -> Mapping[str, tuple[Any, ...]]:
        """Odd numbers of neighbours, ever farther apart."""
        return {"k": tuple(k for k in COUNTS if k <= self._most)} if self._is_chosen else {}

    def adopt(self, chosen: Mapping[str, Any]) -> None:
        """Ask so many neighbours."""
        super().adopt({name: value for name, value in chosen.items() if name != "k"})
        self._k = chosen.get("k", self._k)

    def probabilities(self, answer: Answer) -> Float[Tensor, "B C"]:
        """The vote of the neighbours."""
        return vote(self.neighbours(answer))


def _check(branches: int, size: int, k: int | None, most: int) -> None:
    if branches != 1:
        raise RecipeError(
            f"the head `neighbours` compares cases by one embedding, and the aggregator has "
            f"{branches} branches; set its branches to single"
        )
    if min(size, k or 1, most) < 1 or most > COUNTS[-1]:
        raise RecipeError(
            f"the head `neighbours` needs size and k of 1 or more and most of 1 to {COUNTS[-1]}, "
            f"not {size}, {k} and {most}"
        )
