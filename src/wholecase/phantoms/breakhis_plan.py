"""Drawn patients of BreakHis: what each one's tissue shows, and at which magnifications."""

from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import PurePosixPath

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator

POWERS = (40, 100, 200, 400)
ROOT = PurePosixPath("BreaKHis_v1/histology_slides/breast")
BENIGN = (
    ("A", "adenosis"),
    ("F", "fibroadenoma"),
    ("PT", "phyllodes_tumor"),
    ("TA", "tubular_adenoma"),
)
MALIGNANT = (
    ("DC", "ductal_carcinoma"),
    ("LC", "lobular_carcinoma"),
    ("MC", "mucinous_carcinoma"),
    ("PC", "papillary_carcinoma"),
)
FEWEST = 8
LACKING = 5
"""Each fifth patient lacks a magnification."""


@dataclass(frozen=True)
class ViewedPatient:
    """One patient: malignant where nests are solid and nuclei have nucleoli, benign with one."""

    slide: str
    """Such as `14-10007`."""
    is_malignant: bool
    solid: bool
    """Nests without lumina: what 40X and 100X show."""
    nucleoli: bool
    """What 200X and 400X show."""
    type: tuple[str, str]
    """Letters and name of the tumour type, which nothing in the picture tells."""
    powers: tuple[int, ...]
    """The magnifications that there are."""

    def path(self, power: int, number: int) -> PurePosixPath:
        """Where the published tree keeps an image."""
        side, name = ("malignant", "M") if self.is_malignant else ("benign", "B")
        letters, sort = self.type
        stem = f"SOB_{name}_{letters}"
        folder = ROOT / side / "SOB" / sort / f"{stem}_{self.slide}" / f"{power}X"
        return folder / f"{stem}-{self.slide}-{power}-{number:03d}.png"


def plan_patients(patients: int, seed: int) -> tuple[ViewedPatient, ...]:
    """Half of them malignant; half of the benign ones have solid nests, the others nucleoli.

    So each of both tells half of the benign from the malignant, and only both tell all.

    Raises:
        RecipeError: fewer than 8 patients.
    """
    if patients < FEWEST:
        raise RecipeError(f"{patients} drawn patients are too few; ask for at least {FEWEST}")
    malignant = patients // 2
    shown = [(True, True)] * malignant
    shown += islice(cycle([(True, False), (False, True)]), patients - malignant)
    order = generator(seed, "breakhis", "patients").permutation(patients).tolist()
    return tuple(_patient(number, shown[place]) for number, place in enumerate(order))


def _patient(number: int, shown: tuple[bool, bool]) -> ViewedPatient:
    solid, nucleoli = shown
    sorts = MALIGNANT if solid and nucleoli else BENIGN
    lacks = POWERS[number // LACKING % len(POWERS)] if number % LACKING == LACKING - 1 else None
    return ViewedPatient(
        slide=f"14-{10000 + number}",
        is_malignant=solid and nucleoli,
        solid=solid,
        nucleoli=nucleoli,
        type=sorts[number // 2 % len(sorts)],
        powers=tuple(power for power in POWERS if power != lacks),
    )
