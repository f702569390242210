"""Whether a cohort can be divided as the recipe asks, before and after what a run would lose."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from wholecase.audit.findings import Finding
from wholecase.audit.images import Fault
from wholecase.cohort import Cohort, Split
from wholecase.core.errors import WholecaseError

Divide = Callable[[Cohort], Split]


def division_findings(
    cohort: Cohort, faults: Sequence[Fault], divide: Divide | None
) -> Iterator[Finding]:
    """An error where the division fails, or where the lost cases leave a side empty."""
    if divide is None:
        return
    lost = {fault.look.case.id for fault in faults if fault.costs == "case"}
    after = ""
    try:
        split = divide(cohort)
        after = f"without the {len(lost)} lost cases, "
        for fold in split.folds:
            train, valid, test = (
                tuple(case for case in cases if case.id not in lost)
                for cases in fold.sides().values()
            )
            replace(fold, train=train, valid=valid, test=test)
    except WholecaseError as error:
        what = after + str(error).removeprefix(f"{cohort.path}: ")
        yield Finding("error", "splits", what, "run", "no division into folds")
