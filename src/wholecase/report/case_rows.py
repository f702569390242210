"""The table of cases: worst errors first, pictures inside."""

from collections.abc import Sequence
from dataclasses import dataclass

from wholecase.report.pictures import Inlined, case_bytes, inlined
from wholecase.report.run import Prediction, Run

SHOWN = 200
"""Rows of the table; the page must stay small enough to send."""


@dataclass(frozen=True)
class CaseRow:
    """One row."""

    prediction: Prediction
    bars: tuple[tuple[str, float], ...]
    """Class name and probability: the positive one of two, or all of several."""
    threshold: float | None
    localisation_auc: float | None
    pictures: Inlined


def ordered(run: Run) -> list[Prediction]:
    """Wrong decisions first; within both parts, the farther from the truth the earlier."""

    def place(prediction: Prediction) -> tuple[bool, float, str]:
        p = run.truth_probability(prediction)
        return (not prediction.is_wrong, p if p == p else 2.0, prediction.case)  # noqa: PLR0124

    return sorted(run.predictions, key=place)


def case_rows(run: Run) -> list[CaseRow]:
    """The rows that are shown, `SHOWN` at most."""
    shown = ordered(run)[:SHOWN]
    budget = case_bytes(sum(p.case in run.pictures for p in shown))
    thresholds = {fold.number: fold.threshold for fold in run.folds}
    return [_row(run, p, thresholds.get(p.fold), budget) for p in shown]


def _row(run: Run, prediction: Prediction, threshold: float | None, budget: int) -> CaseRow:
    pictures = run.pictures.get(prediction.case)
    return CaseRow(
        prediction=prediction,
        bars=_bars(run.classes, prediction.probabilities, is_binary=run.is_binary),
        threshold=threshold if run.is_binary else None,
        localisation_auc=pictures.localisation_auc if pictures else None,
        pictures=inlined(pictures, budget),
    )


def _bars(
    classes: Sequence[str], probabilities: Sequence[float], *, is_binary: bool
) -> tuple[tuple[str, float], ...]:
    pairs = tuple(zip(classes, probabilities, strict=True))
    return pairs[1:] if is_binary else pairs
