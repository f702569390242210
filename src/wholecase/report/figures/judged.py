"""The predictions of a run as arrays, for the figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from wholecase.evaluation import said, undo_temperature
from wholecase.report.run_record import Run


@dataclass(frozen=True)
class Judged:
    """M judged cases of C classes; cases without a known label or probability are left out."""

    classes: tuple[str, ...]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    truth: Int[np.ndarray, " M"]
    probabilities: Float[np.ndarray, "M C"]
    decision: Int[np.ndarray, " M"]
    fold: Int[np.ndarray, " M"]

    def against_rest(self, target: int) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Truth (1 where the case has the class) and score of one class against the rest."""
        return (self.truth == target).astype(np.int64), self.probabilities[:, target]

    def said(self) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """What can be held against the truth: the positive class of two, else the decision.

        Whether it was so (0 or 1), and how likely it was called.
        """
        return said(self.truth, self.probabilities, self.decision)

    def uncalibrated(self, folds: Mapping[int, tuple[float, tuple[float, ...]]]) -> "Judged":
        """The same before calibration; temperature and shift by fold, none where none is given."""
        raw = self.probabilities.copy()
        for number in np.unique(self.fold).tolist():
            own = self.fold == number
            raw[own] = undo_temperature(raw[own], *folds.get(number, (1.0, ())))
        return replace(self, probabilities=raw)

    def in_fold(self, number: int) -> "Judged":
        """The cases that one fold judged."""
        own = np.flatnonzero(self.fold == number)
        return Judged(
            classes=self.classes,
            cases=tuple(self.cases[i] for i in own),
            patients=tuple(self.patients[i] for i in own),
            truth=self.truth[own],
            probabilities=self.probabilities[own],
            decision=self.decision[own],
            fold=self.fold[own],
        )

    def by_fold(self) -> Iterator["Judged"]:
        """The folds one by one, in order."""
        for number in np.unique(self.fold):
            yield self.in_fold(int(number))

    @property
    def targets(self) -> tuple[int, ...]:
        """Classes to draw a curve of: the positive one of two, or each of several."""
        return (1,) if len(self.classes) == 2 else tuple(range(len(self.classes)))

    def has_both(self, target: int) -> bool:
        """Whether there are cases with and without the class: without, there is no curve."""
        with_it = int((self.truth == target).sum())
        return 0 < with_it < len(self.truth)


def judged(run: Run) -> Judged:
    """The run's predictions that can be drawn."""
    known = [
        p
        for p in run.predictions
        if p.label in run.classes
        and p.decision in run.classes
        and np.isfinite(p.probabilities).all()
    ]
    index = {name: i for i, name in enumerate(run.classes)}
    return Judged(
        classes=run.classes,
        cases=tuple(p.case for p in known),
        patients=tuple(p.patient for p in known),
        truth=np.array([index[p.label] for p in known], np.int64),
        probabilities=np.array([p.probabilities for p in known], np.float64).reshape(
            len(known), len(run.classes)
        ),
        decision=np.array([index[p.decision] for p in known], np.int64),
        fold=np.array([p.fold for p in known], np.int64),
    )
