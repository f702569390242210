"""One image opened, and what it told."""

from dataclasses import dataclass

from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError

TOUCH_PX = 64
"""Side of the squares that are read to see whether the pixels can be decoded."""


@dataclass(frozen=True)
class Look:
    """What one image told when it was opened; a plain value that can cross processes."""

    case: Case
    image: Image
    trouble: str | None = None
    """Why it cannot be used; None where it can."""
    spacing_um: float | None = None
    rung: str = ""
    """Where the spacing was found, or why there is none."""

    @property
    def where(self) -> str:
        """The manifest's line and the case, for messages."""
        return f"line {self.image.line}, case {self.case.id!r}"


def look_at(case: Case, image: Image) -> Look:
    """Open an image and read a square at its centre and one at its end.

    Never raises for what is wrong with the image: that is what it is to find out.
    """
    # the readers of slides take longer to import than most cohorts to check
    from wholecase.sources import ImageSource, open_source

    def touch(source: ImageSource) -> None:
        level = source.levels[0]
        for part in (0.5, 1.0):
            x, y = (max(0, int(n * part) - TOUCH_PX) for n in (level.width_px, level.height_px))
            source.read(x, y, TOUCH_PX, TOUCH_PX)

    try:
        with open_source(image.path, image.kind, image.mpp) as source:
            touch(source)
            if source.spacing is None:
                return Look(case, image, rung=source.spacing_note)
            return Look(case, image, spacing_um=source.spacing.um, rung=source.spacing.rung)
    except SourceError as error:
        return Look(case, image, trouble=str(error))
