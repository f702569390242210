"""Who is on which side. A patient on two sides cannot be constructed, unless images are divided."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from wholecase.cohort.cases import Case
from wholecase.cohort.identity import likeness_key
from wholecase.core.errors import SplitError

SIDES = ("train", "valid", "test")
"""The sides of a fold, in the order of use."""
NAMED = 5
"""An error about many patients names this many."""


@dataclass(frozen=True)
class Fold:
    """One training: learn on `train`, choose on `valid`, be judged on `test`."""

    number: int
    train: tuple[Case, ...]
    valid: tuple[Case, ...]
    """May be empty where somebody else's splits have none."""
    test: tuple[Case, ...]

    def __post_init__(self) -> None:
        for side in ("train", "test"):
            if not self.sides()[side]:
                raise SplitError(f"fold {self.number} has an empty {side} side; add patients to it")
        self._refuse_shared_patients()
        self._refuse_repeated_cases()
        self._refuse_copies()

    def sides(self) -> dict[str, tuple[Case, ...]]:
        """The three sides by name."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def _refuse_shared_patients(self) -> None:
        sides: dict[str, set[str]] = defaultdict(set)
        spellings: dict[str, set[str]] = defaultdict(set)
        for side, cases in self.sides().items():
            for patient in {case.unit for case in cases}:
                key = likeness_key(patient)
                sides[key].add(side)
                spellings[key].add(patient)
        if shared := [" or ".join(sorted(spellings[key])) for key in sides if len(sides[key]) > 1]:
            raise SplitError(
                f"fold {self.number} has patients on two sides: {some(sorted(shared))}; "
                "keep all cases of a patient on one"
            )

    def _refuse_repeated_cases(self) -> None:
        times = Counter(case.id for cases in self.sides().values() for case in cases)
        if repeated := sorted(case for case, n in times.items() if n > 1):
            raise SplitError(
                f"fold {self.number} lists cases twice: {some(repeated)}; list each once"
            )

    def _refuse_copies(self) -> None:
        judged = (*self.valid, *self.test)
        if copies := [case.id for case in judged if case is not case.judged]:
            raise SplitError(
                f"fold {self.number} would judge train_only images of {some(copies)}; "
                "take `Case.judged` on the validation and test sides"
            )


@dataclass(frozen=True)
class Split:
    """The folds of a run; a case is tested at most once."""

    folds: tuple[Fold, ...]
    protocol: str
    """`nested`, `holdout`, `given`, or `file` where the splits were read."""

    def __post_init__(self) -> None:
        if not self.folds:
            raise SplitError("a split needs a fold; this one has none")
        numbers = Counter(fold.number for fold in self.folds)
        if twice := [number for number, times in numbers.items() if times > 1]:
            raise SplitError(f"two folds have the number {twice[0]}; number each fold once")
        tested = Counter(case.id for fold in self.folds for case in fold.test)
        if again := sorted(case for case, times in tested.items() if times > 1):
            raise SplitError(
                f"cases are tested in more than one fold: {some(again)}; test each at most once"
            )


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are.

    >>> some("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    names = list(names)
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
