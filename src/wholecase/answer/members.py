"""Who judges: the model of a fold, or several judges together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.answer.bags import Reading
from wholecase.answer.judgement import Judgement
from wholecase.answer.neighbours import Neighbour, neighbours_of
from wholecase.answer.neighbours import together as joined_neighbours
from wholecase.answer.novelty import features_of
from wholecase.answer.support import joined_evidence, mean_evidence, supported
from wholecase.assemble import views_of
from wholecase.cohort import Case
from wholecase.evaluation import Familiar, Novelty, together
from wholecase.explain import Evidence
from wholecase.models import Answer, Batch, CaseModel, answers
from wholecase.recipes import Recipe
from wholecase.runs import FINAL
from wholecase.training import Choices, Example, Sets, mirrored, pack

UNCHOSEN = Choices()


class Member(ABC):
    """Judges cases that were read by somebody else, so that many members need one reading."""

    @property
    @abstractmethod
    def recipe(self) -> Recipe:
        """How many instances fit a batch, and what is judged of a case."""

    @abstractmethod
    def judge(self, reading: Reading, *, full: bool) -> Judgement:
        """One case by itself, with evidence: the weights of its instances, or all of it."""

    @abstractmethod
    def judge_batch(self, batch: Batch, cases: Sequence[Case]) -> list[Judgement]:
        """The cases of a batch, without evidence."""


@final
@dataclass(frozen=True)
class FoldModel(Member):
    """A trained model and what was chosen on its inner patients."""

    fold: int
    """Its number, or `FINAL`."""
    learnt_by: Recipe
    model: CaseModel
    choices: Choices = UNCHOSEN
    familiar: Familiar | None = None
    """What it learnt from; None where the run kept no summary."""
    front: str = ""
    """Digest of all that an instance passes before it is pooled, weights included: models of one
    digest see alike, and a case passes once. "" where nobody knows."""

    @property
    def recipe(self) -> Recipe:
        """The one that it was learnt by."""
        return self.learnt_by

    @property
    def name(self) -> str:
        """For people."""
        return "the final model" if self.fold == FINAL else f"fold {self.fold}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of the probabilities."""
        return tuple(name for name, _ in self.learnt_by.cohort.groups)

    def judge(self, reading: Reading, *, full: bool) -> Judgement:
        """By the sets of its instances that the recipe asks for; the mean of what they say."""
        views = views_of(self.recipe)
        if views is None:
            through = self.through(reading, maps=full)
            raw, evidence, near = self._seen(reading, through, full=full)
            judgement = replace(self._judgement(reading.case, raw), neighbours=near)
        else:
            sets = views.kept(reading.example)
            looks = [self._look(reading, sets, axes, full=full) for axes in views.mirrors]
            evidence = mean_evidence([look.evidence for look in looks])
            judgement = self._of_views(reading.case, np.concatenate([look.raw for look in looks]))
            named = [own for look in looks for own in look.near]
            most = max(map(len, named))  # as many as one set asks for
            judgement = replace(judgement, neighbours=joined_neighbours(named)[:most])
        (novelty,) = self.novelties(pack([reading.example]))
        return replace(judgement, evidence=evidence, novelty=novelty)

    def through(self, reading: Reading, *, maps: bool = False) -> Example:
        """The case past the network, or up to its maps: what is asked about often."""
        return reading.past(self.model, self.front, maps=maps)

    def judge_batch(self, batch: Batch, cases: Sequence[Case]) -> list[Judgement]:
        """Of each case what is said of it alone, to rounding."""
        (answer,) = answers(self.model, [batch])
        near = neighbours_of(self.model.head, answer, self.classes)
        judged = zip(cases, self._raw(answer), self.novelties(batch), near, strict=True)
        return [
            replace(self._judgement(case, raw), novelty=novelty, neighbours=own)
            for case, raw, novelty, own in judged
        ]

    def novelties(self, batch: Batch) -> list[Novelty | None]:
        """Of each case how far it lies from what was learnt from, all of its instances counted."""
        if self.familiar is None:
            return [None] * len(batch.cases)
        return [*self.familiar.judge(features_of(self.model, batch))]

    def _of_views(self, case: Case, each: Float[np.ndarray, "S C"]) -> Judgement:
        """The mean of what the sets say, and how far they are from each other."""
        judgement = self._judgement(case, each.mean(0))
        rows = self.choices.calibrated(each)[:, judgement.decision]
        return replace(judgement, view_spread=float(rows.std()))

    def _look(
        self,
        reading: Reading,
        sets: Sequence[Int[Tensor, " M"]],
        axes: tuple[int, ...],
        *,
        full: bool,
    ) -> "_Look":
        """All sets of a case with its pixels turned along the axes; maps are turned back."""
        turned = replace(reading, example=mirrored(reading.example, axes))
        once = Sets.of(turned.example, sets).past(self.model, maps=full)
        seen = [
            self._seen(turned.only(rows), through, full=full)
            for rows, (through,) in zip(sets, once.parts(), strict=True)
        ]
        evidence = joined_evidence(reading, sets, [evidence for _, evidence, _ in seen])
        back = tuple(axis - 1 for axis in axes)
        maps = {name: np.flip(own, back) for name, own in evidence.maps.items()}
        near = [own for _, _, own in seen]
        return _Look(np.stack([raw for raw, _, _ in seen]), replace(evidence, maps=maps), near)

    def _seen(
        self, reading: Reading, through: Example, *, full: bool
    ) -> tuple[Float[np.ndarray, " C"], Evidence, tuple[Neighbour, ...]]:
        (answer,) = answers(self.model, [pack([through])])
        raw = self._raw(answer)[0]
        evidence = supported(self.model, (reading, through), answer, raw, full=full)
        if evidence.alone is not None:
            calibrated = self.choices.calibrated(evidence.alone).astype(np.float32)
            evidence = replace(evidence, alone=calibrated)
        (near,) = neighbours_of(self.model.head, answer, self.classes)
        return raw, evidence, near

    def _raw(self, answer: Answer) -> Float[np.ndarray, "B C"]:
        with torch.no_grad():
            rows: np.ndarray = self.model.head.probabilities(answer).double().cpu().numpy()
        return rows

    def _judgement(self, case: Case, raw: Float[np.ndarray, " C"]) -> Judgement:
        calibrated = self.choices.calibrated(raw[None])
        decision = int(self.choices.decide(calibrated)[0])
        return Judgement(case, self.classes, self.fold, raw, calibrated[0], decision)


@dataclass(frozen=True)
class _Look:
    """What the sets of a case say, looked at in one way."""

    raw: Float[np.ndarray, "S C"]
    evidence: Evidence
    near: list[tuple[Neighbour, ...]]


@final
@dataclass(frozen=True)
class Vote(Member):
    """The mean of its members' calibrated probabilities, decided by a threshold of its own.

    The folds of a run vote; runs vote, if they know the same classes and take the same features.
    """

    name: str
    members: tuple[Member, ...]
    threshold: float | None = None
    """None decides for the most probable class."""
    weights: tuple[float, ...] | None = None
    """How much each member counts; None is alike."""

    @property
    def recipe(self) -> Recipe:
        """That of the first member."""
        return self.members[0].recipe

    def judge(self, reading: Reading, *, full: bool) -> Judgement:
        """All members judge the one reading; their evidence is averaged."""
        parts = [member.judge(reading, full=full) for member in self.members]
        evidence = mean_evidence([p.evidence for p in parts if p.evidence is not None])
        return replace(self._together(parts), evidence=evidence)

    def judge_batch(self, batch: Batch, cases: Sequence[Case]) -> list[Judgement]:
        """Case by case what the members say together."""
        by_member = [member.judge_batch(batch, cases) for member in self.members]
        return [self._together(parts) for parts in zip(*by_member, strict=True)]

    def _together(self, parts: Sequence[Judgement]) -> Judgement:
        return voted(self.name, parts, self.threshold, self.weights)


def voted(
    name: int | str,
    parts: Sequence[Judgement],
    threshold: float | None,
    weights: Sequence[float] | None = None,
) -> Judgement:
    """What several judges of one case say together, without evidence.

    Args:
        name: of who tells it, as `Judgement.judge`.
        parts: at least one.
        threshold: on the mean; None decides for the most probable class.
        weights: how much each counts; None is alike.
    """
    mean = np.average([part.probabilities for part in parts], 0, weights)
    decision = Choices(1.0, threshold).decide(mean[None])
    novelties = [part.novelty for part in parts if part.novelty is not None]
    spreads = [part.view_spread for part in parts if part.view_spread is not None]
    return Judgement(
        case=parts[0].case,
        classes=parts[0].classes,
        judge=name,
        raw=np.average([part.raw for part in parts], 0, weights),
        probabilities=mean,
        decision=int(decision[0]),
        others=tuple(replace(part, evidence=None) for part in parts),
        novelty=together(novelties) if novelties else None,
        view_spread=float(np.mean(spreads)) if spreads else None,
        neighbours=joined_neighbours(part.neighbours for part in parts),
    )
