"""How many patients a study needs so that a figure is as sure as is asked."""

from collections.abc import Callable
from dataclasses import dataclass

from wholecase.core.errors import RunError
from wholecase.evaluation.bounds import Ends, bounded_mean, of_ranks
from wholecase.evaluation.prevalence import refuse_no_share

MOST = 10_000_000
ALPHA = 0.05


@dataclass(frozen=True)
class Plan:
    """A figure, and the patients that it takes."""

    figure: str
    value: float
    patients: int
    positives: int
    low: float
    high: float
    """The interval that so many patients would give, at that value."""


def plan(
    half_width: float,
    *,
    auroc: float,
    sensitivity: float,
    specificity: float,
    prevalence: float,
    folds: int = 1,
) -> list[Plan]:
    """For each figure the least number of patients whose 95 % interval is that narrow, by formula.

    The AUROC counts pairs within folds (Newcombe 2006), sensitivity and specificity are shares of
    patients with and without the class (Clopper & Pearson 1934).

    Raises:
        RunError: a share is not between 0 and 1, there is no fold, or no number is enough.
    """
    refuse_no_share(prevalence, "the prevalence")
    refuse_no_share(half_width, "the half-width")
    for name, value in (
        ("AUROC", auroc),
        ("sensitivity", sensitivity),
        ("specificity", specificity),
    ):
        refuse_no_share(value, f"the {name}")
    if folds < 1:
        raise RunError(f"{folds} folds divide nothing; 1 is a test set of its own")

    def ranks(n: int) -> Ends:
        side = max(n * prevalence / folds, 1e-9), max(n * (1 - prevalence) / folds, 1e-9)
        return of_ranks(auroc, [side] * folds, ALPHA)

    figures: list[tuple[str, float, Callable[[int], Ends]]] = [
        ("AUROC", auroc, ranks),
        ("sensitivity", sensitivity, lambda n: bounded_mean(sensitivity, n * prevalence, ALPHA)),
        (
            "specificity",
            specificity,
            lambda n: bounded_mean(specificity, n * (1 - prevalence), ALPHA),
        ),
    ]
    return [_plan(name, value, ends, (half_width, prevalence)) for name, value, ends in figures]


def _plan(name: str, value: float, ends: Callable[[int], Ends], asked: tuple[float, float]) -> Plan:
    half_width, prevalence = asked
    low, high = 1, 2
    while _half(ends(high)) > half_width:
        low, high = high, high * 2
        if high > MOST:
            raise RunError(f"no study of {MOST} patients tells {name} to ±{half_width:g}; ask less")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _half(ends(middle)) <= half_width else (middle, high)
    return Plan(name, value, high, round(high * prevalence), *ends(high))


def _half(ends: Ends) -> float:
    return (ends[1] - ends[0]) / 2
