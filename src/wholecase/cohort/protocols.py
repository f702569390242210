"""The ways to divide a cohort; by patient, stratified by the patient's classes."""

import functools
from collections.abc import Collection, Sequence
from typing import TypeVar

from wholecase.cohort.cases import Cohort
from wholecase.cohort.identity import likeness_key
from wholecase.cohort.labels import require_classes
from wholecase.cohort.sites import groups_by_site
from wholecase.cohort.split import Fold, Split, some
from wholecase.cohort.strata import Patient, deal, of_class, patients_of
from wholecase.core.errors import SplitError

Thing = TypeVar("Thing")


def nested(
    cohort: Cohort, *, folds: int, validation: float, seed: int, by_site: bool = False
) -> Split:
    """Cross-validation: every case that can be judged is tested once.

    With `by_site` whole sites are tested together, by models that have never seen one of them;
    the inner patients are of the sites that teach.

    `validation` is the share of a fold's training patients that choose epoch and threshold.

    Raises:
        ManifestError: the cohort has fewer than two classes.
        SplitError: a class has too few patients.
    """
    require_classes(cohort)
    if folds < 2:
        raise SplitError(f"cross-validation needs 2 folds at least, not {folds}; ask for more")
    patients = patients_of(cohort)
    _require(cohort, patients, folds, f"{folds} folds", "ask for fewer folds")
    shuffled = _shuffled(patients, seed, "test")
    if by_site:
        groups = groups_by_site(cohort, shuffled, folds)
    else:
        groups = deal(shuffled, [1 / folds] * folds)
    made = (_fold(cohort, number, group, validation, seed) for number, group in enumerate(groups))
    return Split(tuple(made), "nested")


def holdout(cohort: Cohort, *, test: float, validation: float, seed: int) -> Split:
    """One fold whose test side holds that share of the patients.

    Raises:
        ManifestError: the cohort has fewer than two classes.
        SplitError: a share is not between 0 and 1, or a class has fewer than three patients.
    """
    require_classes(cohort)
    _check_share("test", test)
    patients = patients_of(cohort)
    _require(cohort, patients, 3, "training, validation and test", "use cross-validation instead")
    _, tested = deal(_shuffled(patients, seed, "test"), [1 - test, test])
    return Split((_fold(cohort, 0, tested, validation, seed),), "holdout")


def given(cohort: Cohort, *, validation: float, seed: int) -> Split:
    """One fold whose sides are what the manifest's `split` column says.

    Where it says `valid` of a case, the validation side is those cases and `validation` and `seed`
    are not asked; else it is cut from the training patients.

    Raises:
        ManifestError: the cohort has fewer than two classes.
        SplitError: a case has no split, or a class has too few patients on a side.
    """
    require_classes(cohort)
    if unsaid := [case.id for case in cohort.cases if case.split is None]:
        raise SplitError(
            f"{cohort.path}, column 'split': nothing is said of {some(unsaid)}; "
            "write train, valid or test for every case"
        )
    tested = {likeness_key(case.patient) for case in cohort.cases if case.split == "test"}
    choosing = {likeness_key(case.patient) for case in cohort.cases if case.split == "valid"}
    if not choosing:
        return Split((_fold(cohort, 0, tested, validation, seed),), "given")
    patients = patients_of(cohort)
    for side, wanted in (("valid", choosing), ("train", _others(patients, {*tested, *choosing}))):
        found = [patient for patient in patients if patient.id in wanted]
        _require(cohort, found, 1, f"the side {side!r}", "add patients of it to that side")
    return Split((_sides(cohort, 0, tested, choosing),), "given")


def _fold(
    cohort: Cohort, number: int, tested: Collection[str], validation: float, seed: int
) -> Fold:
    """The fold that tests these patients; validation is drawn from the others."""
    _check_share("validation", validation)
    left = [patient for patient in patients_of(cohort) if patient.id not in tested]
    _require(cohort, left, 2, f"training and validation of fold {number}", "add patients of it")
    order = _shuffled(left, seed, "validation", number)
    _, choosing = deal(order, [1 - validation, validation])
    return _sides(cohort, number, tested, choosing)


def inner_folds(cohort: Cohort, fold: Fold, *, folds: int, seed: int) -> tuple[Fold, ...]:
    """The fold, and its training patients dealt to further validation sides.

    Every patient of both sides is asked about in one of them, and teaches in the others.

    Args:
        cohort: the cases of both sides.
        fold: the first of the inner folds; all keep its number and test side.
        folds: how many.
        seed: of the division.

    Raises:
        SplitError: a class has too few patients.
    """
    key_of = functools.cache(likeness_key)
    choosing = {key_of(case.unit) for case in fold.valid}
    left = [patient for patient in patients_of(cohort) if patient.id not in choosing]
    purpose = f"{folds} inner folds of fold {fold.number}"
    _require(cohort, left, folds - 1, purpose, "lower protocol.inner")
    order = _shuffled(left, seed, "inner", fold.number)
    groups = deal(order, [1 / (folds - 1)] * (folds - 1)) if folds > 1 else ()
    further = (
        Fold(
            number=fold.number,
            train=tuple(case for case in cohort.cases if key_of(case.unit) not in group),
            valid=tuple(c.judged for c in cohort.cases if c.testable and key_of(c.unit) in group),
            test=fold.test,
        )
        for group in groups
    )
    return (fold, *further)


def _others(patients: Sequence[Patient], those: Collection[str]) -> set[str]:
    return {patient.id for patient in patients} - set(those)


def _sides(cohort: Cohort, number: int, tested: Collection[str], choosing: Collection[str]) -> Fold:
    """The fold with these patients, by their `likeness_key`, on its test and validation sides."""
    key_of = functools.cache(likeness_key)
    judged = [case.judged for case in cohort.cases if case.testable]
    apart = {*tested, *choosing}
    return Fold(
        number=number,
        train=tuple(case for case in cohort.cases if key_of(case.unit) not in apart),
        valid=tuple(case for case in judged if key_of(case.unit) in choosing),
        test=tuple(case for case in judged if key_of(case.unit) in tested),
    )


def _require(
    cohort: Cohort, patients: Sequence[Patient], least: int, purpose: str, cure: str
) -> None:
    for target, name in enumerate(cohort.classes):
        if (found := of_class(patients, target)) < least:
            raise SplitError(
                f"{cohort.path}: patients of class {name!r}: {found}, but {purpose} need {least}; "
                f"{cure}"
            )


def _check_share(what: str, share: float) -> None:
    if not 0 < share < 1:
        raise SplitError(f"the {what} share is {share:g}; give one between 0 and 1, such as 0.2")


def _shuffled(things: Sequence[Thing], seed: int, *names: object) -> list[Thing]:
    # numpy takes longer to import than a manifest to read
    from wholecase.core.seeds import generator

    return [things[i] for i in generator(seed, *names).permutation(len(things))]
