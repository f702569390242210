"""A comparison of runs as lines for the terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wholecase.report.compare import Comparison, Pair
from wholecase.report.wording import count

if TYPE_CHECKING:
    from wholecase.evaluation import Errors, Gap

SHOWN = 20
"""Disputed cases that are listed; the page shows more."""


def errors_told(cases: "Errors", patients: "Errors", first: str, second: str) -> str:
    """Who is wrong about how many, by case and by patient."""
    told = [
        f"{what} {getattr(cases, name)} ({count(getattr(patients, name), 'patient')})"
        for name, what in (
            ("both", "both"),
            ("first", f"only {first}"),
            ("second", f"only {second}"),
        )
    ]
    return f"wrong: {', '.join(told)}"


def chance_told(tested: "Gap") -> str:
    """How likely chance alone makes such a difference, and how that is known."""
    claim = tested.false_claim
    doubt = "" if claim is None else f"; that the better is better is false with p {p_told(claim)}"
    return f"p {p_told(tested.p)}, {tested.how}{doubt}"


def p_told(p: float | None) -> str:
    """A probability of chance for people.

    >>> p_told(0.0312), p_told(1e-9), p_told(None)
    ('0.031', '< 0.001', 'not told')
    """
    if p is None:
        return "not told"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def pair_lines(pair: Pair) -> Iterator[str]:
    """What is told of two runs beyond their metrics."""
    overlap, names = pair.overlap, (pair.first.name, pair.second.name)
    assert overlap.cases is not None and overlap.patients is not None, "of two"  # noqa: S101, PT018
    yield errors_told(overlap.cases, overlap.patients, *names)
    yield f"accuracy: {chance_told(pair.accuracy)}"
    if pair.area is not None:
        yield f"auroc: {chance_told(pair.area)}"
    if (gap := pair.folds.difference.value) is not None:
        yield f"{pair.over} over folds: {gap:+.3f}, {chance_told(pair.folds)}"


def disputed_lines(comparison: Comparison) -> Iterator[str]:
    """The cases that not all runs decide alike, with what each says."""
    runs, disputed = comparison.runs, comparison.disputed
    yield f"decided differently: {len(disputed)} of {len(runs[0].rows)} cases"
    for number in disputed[:SHOWN]:
        said = [
            f"{run.name} {run.rows[number]['decision']} "
            f"{run.scores.probabilities[number, run.scores.decision[number]]:.3f}"
            for run in runs
        ]
        row = runs[0].rows[number]
        yield f"  {row['case_id']} is {row['label']}: {', '.join(said)}"
    if len(disputed) > SHOWN:
        yield f"  {len(disputed) - SHOWN} more"
