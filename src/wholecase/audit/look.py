"""One image opened, and what it told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from wholecase.audit.feature_file import look_at_features
from wholecase.audit.indexed import indexed_sights
from wholecase.audit.sight import SMALL_PX, Sight, sight_of_failure
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.errors import SourceError
from wholecase.core.kinds import RGB
from wholecase.core.picture_digests import picture_digests
from wholecase.core.progress import Advance
from wholecase.execution import parallel_map
from wholecase.sources import ImageSource, level_for, open_source, read_box, refuse_one_value

TOUCH_PX = 64
"""Side of the squares that are read to see whether the pixels can be decoded."""
MOST_COMPARED = 50_000
"""Of more images those in HDF5 files are not compared: it would take minutes, then hours."""
MOST_READ_PX = 64 * 2**20
"""A slide without a level below this many pixels is not compared: reading it would take minutes."""


@dataclass(frozen=True)
class Look:
    """An image of a case, and what it told."""

    case: Case
    image: Image
    sight: Sight

    @property
    def where(self) -> str:
        """The manifest's line and the case, for messages."""
        return f"line {self.image.line}, case {self.case.id!r}"


def looks_of(cohort: Cohort, workers: int, advance: Advance | None) -> list[Look]:
    """Every image of the cohort looked at, in its order; each costs at most itself."""
    pairs = [(case, image) for case in cohort.cases for image in case.images]
    sights = indexed_sights(
        [image for _, image in pairs],
        compare=len(pairs) <= MOST_COMPARED,
        workers=workers,
        advance=advance,
    )
    rest = ((i, image) for i, (_, image) in enumerate(pairs) if i not in sights)
    for done in parallel_map(_look, rest, workers=workers):
        number, image = done.item
        sights[number] = done.result or sight_of_failure(image.path, done.error)
        if advance is not None:
            advance()
    return [Look(case, image, sights[i]) for i, (case, image) in enumerate(pairs)]


def contents_of(looks: Sequence[Look]) -> dict[Path, str]:
    """The digests of pixels that lie with others in a file or series, and of features' numbers."""
    return {look.image.path: look.sight.content for look in looks if look.sight.content}


def _look(item: tuple[int, Image]) -> Sight:
    return look_at(item[1])


def look_at(image: Image) -> Sight:
    """Open an image, read a square at its centre and one at its end, and make it small.

    What is wrong with the image is in the answer, for that is what it is to find out.
    """
    if image.kind == "features":
        return look_at_features(image)
    try:
        with open_source(image.path, image.kind, image.mpp, image.window) as source:
            level = source.levels[0]
            planes = len(source.planes_um)
            for part, plane in ((0.5, planes // 2), (1.0, planes - 1), (1.0, 0)):
                x, y = (max(0, int(n * part) - TOUCH_PX) for n in (level.width_px, level.height_px))
                source.read(x, y, TOUCH_PX, TOUCH_PX, plane=plane)
            refuse_one_value(source)
            spacing = source.spacing
            return Sight(
                spacing_um=spacing.um if spacing else None,
                rung=spacing.rung if spacing else source.header.spacing_note,
                size_px=(level.width_px, level.height_px),
                slices=planes,
                step_um=_step_um(source.planes_um),
                small=small_of(source),
                content=_content(source),
                notes=source.notes,
                remarks=source.remarks,
            )
    except SourceError as error:
        return Sight(trouble=str(error))


def _step_um(planes_um: Sequence[float]) -> float | None:
    steps = np.abs(np.diff(planes_um))
    return float(np.median(steps)) if len(steps) and np.isfinite(steps).all() else None


def _content(source: ImageSource) -> str | None:
    """The digest of a series' middle slice: copies are found in whatever format they lie."""
    if len(source.planes_um) == 1:
        return None
    level = source.levels[0]
    middle = source.read(0, 0, level.width_px, level.height_px, plane=len(source.planes_um) // 2)
    return picture_digests(middle[None])[0]


def small_of(source: ImageSource) -> bytes | None:
    """A small square grey thumbnail; None of series, other pixels, or what would take minutes."""
    width, height = source.levels[0].width_px, source.levels[0].height_px
    level = source.levels[level_for(source.levels, min(width, height) / SMALL_PX)]
    if (
        level.width_px * level.height_px > MOST_READ_PX
        or source.kind != RGB
        or len(source.planes_um) > 1
    ):
        return None
    pixels = read_box(source, (0, 0, width, height), (SMALL_PX, SMALL_PX))
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).tobytes()
