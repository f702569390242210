"""What a run says of clinical columns: values that are missing, categories that nobody taught."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from wholecase.answer import TrainedRun, covariates_of
from wholecase.cohort import Case, Cohort, Fold, covariate_remarks, identity_key, some
from wholecase.models import Covariates


def clinical_notes(cohort: Cohort, folds: Sequence[Fold]) -> list[str]:
    """Missing values by column, and the categories that a fold judges and did not learn."""
    missing = [str(remark) for remark in covariate_remarks(cohort.cases)]
    return [*missing, *_told(_strange(folds))]


def unseen_notes(trained: TrainedRun, cases: Sequence[Case]) -> list[str]:
    """The categories of new cases that no patient had who taught the models."""
    values = covariates_of(cases)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for member in trained.members:
        term = member.model.covariates
        if values is None or not isinstance(term, Covariates):
            continue
        unseen = term.unseen(values.to(term.weight.device)).cpu()
        for case, column in unseen.nonzero().tolist():
            one = cases[case].covariates[column]
            found[one.column, str(one.value)].append(member.name)
    return [*_told(found)]


def _strange(folds: Sequence[Fold]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for fold in folds:
        taught = {key for case in fold.train for key, _ in _categories(case)}
        for case in (*fold.valid, *fold.test):
            for key, told in _categories(case):
                if key not in taught:
                    found[told].append(f"fold {fold.number}")
    return found


def _categories(case: Case) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Column and category, in all spellings alike and as it is written."""
    for one in case.covariates:
        if isinstance(one.value, str):
            yield (one.column, identity_key(one.value)), (one.column, one.value)


def _told(found: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    for (column, value), folds in found.items():
        yield (
            f"The category {value!r} of {column!r} had no patient who taught "
            f"{some(dict.fromkeys(folds))}; there it counts as missing."
        )
