"""Which drawn slides give patches to which side, and how many of each label."""

from collections.abc import Iterator
from dataclasses import dataclass

from wholecase.core.errors import RecipeError
from wholecase.phantoms.plan import NEGATIVE, POSITIVE, SITES, PhantomCase

SHARES = (("train", 8), ("valid", 1), ("test", 1))
"""Of the patches."""
EACH = 40
"""Patches of a slide, about."""
FEWEST = 40
SPACING_UM = 0.97
SIZE_UM = (1500.0, 1100.0)


@dataclass(frozen=True)
class PatchSlide:
    """One slide and what is cut from it."""

    case: PhantomCase
    side: str
    first: int
    """Number of its first patch within the side, before they are mixed."""
    positives: int
    negatives: int

    @property
    def count(self) -> int:
        """All patches of the slide."""
        return self.positives + self.negatives


def sizes_of(patches: int) -> dict[str, int]:
    """Patches of each side.

    >>> sizes_of(2000)
    {'train': 1600, 'valid': 200, 'test': 200}

    Raises:
        RecipeError: there are too few for two labels on each side.
    """
    if patches < FEWEST:
        raise RecipeError(f"{patches} drawn patches are too few; ask for at least {FEWEST}")
    judged = {name: patches // 10 for name, _ in SHARES[1:]}
    return {"train": patches - sum(judged.values()), **judged}


def plan_patches(patches: int) -> tuple[PatchSlide, ...]:
    """The slides, side by side; each fourth has no tumour, half of a side's patches have."""
    return tuple(slide for side, size in sizes_of(patches).items() for slide in _side(side, size))


def _side(side: str, size: int) -> Iterator[PatchSlide]:
    slides = max(2, round(size / EACH))
    normal = {i for i in range(slides) if i % 4 == 3}
    counts = _shares(size, slides)
    positives = iter(_shares(size // 2, slides - len(normal)))
    first = 0
    for i, count in enumerate(counts):
        own = 0 if i in normal else min(next(positives), count)
        yield PatchSlide(_case(side, i, own), side, first, own, count - own)
        first += count


def _shares(total: int, parts: int) -> list[int]:
    return [total * (i + 1) // parts - total * i // parts for i in range(parts)]


def _case(side: str, number: int, positives: int) -> PhantomCase:
    name = f"phantom_{side}_{number:03d}"
    site = SITES[number % len(SITES)]
    return PhantomCase(
        id=name,
        patient=name,
        label=POSITIVE if positives else NEGATIVE,
        site=site.name,
        day=number // len(SITES),
        spacing_um=SPACING_UM,
        tile_px=site.tile_px,
        size_um=SIZE_UM,
        nests=4 if positives else 0,
        folds=0,
        pen=False,
    )
