"""Which values of the manifest's label column make which class."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wholecase.cohort.cases import Cohort
from wholecase.core.errors import ManifestError, RecipeError
from wholecase.core.lookup import nearest


@dataclass(frozen=True)
class Labels:
    """How a recipe reads the label column; with two classes, the second is the positive one."""

    column: str = "label"
    classes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Name of each class, and the manifest's values that stand for it."""
    ignore: tuple[str, ...] = ()
    """Values whose cases are left out."""
    further: Mapping[str, "Labels"] = field(default_factory=dict)
    """Other labels of the same cases by name; there an ignored or empty value counts as none."""

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise RecipeError(
                f"a cohort needs two classes, the recipe names {len(self.classes)}; "
                "list the label values of each class"
            )
        if twice := _twice(self.names):
            raise RecipeError(f"two classes are called {twice!r}; name each class once")
        if empty := [name for name, values in self.classes if not values]:
            raise RecipeError(f"class {empty[0]!r} has no label value; list at least one")
        if twice := _twice((*self.known, *self.ignore)):
            raise RecipeError(
                f"the label value {twice!r} is listed twice; keep it in one class or under ignore"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The classes in the order of their targets."""
        return tuple(name for name, _ in self.classes)

    @property
    def alone(self) -> "Labels":
        """Without the others, for cases that are only judged."""
        return replace(self, further={})

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the manifest that hold labels, the first one's first."""
        return (self.column, *(labels.column for labels in self.further.values()))

    @property
    def known(self) -> tuple[str, ...]:
        """All values that stand for a class."""
        return tuple(value for _, values in self.classes for value in values)

    def target_of(self, value: str) -> int | None:
        """Index of the class that a manifest value stands for; None for any other value.

        >>> Labels(classes=(("wild-type", ("WT", "0")), ("mutated", ("MUT", "1")))).target_of("1")
        1
        """
        for target, (_, values) in enumerate(self.classes):
            if value in values:
                return target
        return None

    def objection(self, value: str | None) -> str | None:
        """What is wrong with a value of the label column; None where nothing is."""
        if not value:
            return "the label is empty; give one, or take the case out of the file"
        if value in self.ignore or self.target_of(value) is not None:
            return None
        return (
            f"the label {value!r} belongs to no class{nearest(value, self.known)}; "
            "add it to a class of the recipe or list it under ignore"
        )


def require_classes(cohort: Cohort) -> None:
    """Pass a cohort that has cases of two classes at least.

    Raises:
        ManifestError: it is unlabelled, or all cases are of one class.
    """
    if not cohort.classes:
        raise ManifestError(
            f"{cohort.path}: the cohort was read without labels; name its classes in the recipe"
        )
    found = sorted({case.target for case in cohort.cases if case.target is not None})
    if len(found) < 2:
        names = repr(cohort.classes[found[0]]) if found else "no class"
        raise ManifestError(
            f"{cohort.path}: two classes are needed and {names} is the only one found in "
            f"{len(cohort.cases)} cases; add cases of the others among {', '.join(cohort.classes)}"
        )
    for targets in zip(*(case.targets for case in cohort.cases), strict=True):
        if all(target.index is None for target in targets):
            raise ManifestError(
                f"{cohort.path}: no case has a label of the target {targets[0].name!r}; fill its "
                "column, or take it out of cohort.targets and model.also"
            )


def _twice(values: tuple[str, ...]) -> str | None:
    return next((value for value, times in Counter(values).items() if times > 1), None)
