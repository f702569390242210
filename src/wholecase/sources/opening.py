"""The manifest's `kind` leads to what reads the file."""

import math
from collections.abc import Callable
from pathlib import Path

from wholecase.core.errors import SourceError, SpacingError
from wholecase.core.kinds import CT, RGB, PixelKind
from wholecase.core.lookup import nearest
from wholecase.core.regular import is_folder, refuse_irregular
from wholecase.core.table import Table
from wholecase.core.units import LEAST_SPACING_UM, MOST_SPACING_UM, is_plausible_spacing
from wholecase.sources.ct import is_pictures, open_series, split_series
from wholecase.sources.frames import split_page
from wholecase.sources.indexed import split_index
from wholecase.sources.plain import PlainSource
from wholecase.sources.samples import Window
from wholecase.sources.slides import open_slide
from wholecase.sources.source import ImageSource


def open_source(
    path: Path, kind: str, mpp: float | None = None, window: Window | None = None
) -> ImageSource:
    """An open image; close it, or use it as a context manager.

    Args:
        path: the file; of a slide in DICOM, the folder of its files does as well; of many pictures
            in one HDF5 file, `file.h5#17`; of a series, its folder, zip or volume, and `folder#4`
            for one series of several.
        kind: the manifest's `kind`, a key of `SOURCES`.
        mpp: the manifest's `mpp`; goes before whatever the file tells.
        window: the manifest's `window`: which stored samples are black and white.

    Raises:
        SpacingError: `mpp` cannot be.
        SourceError: the file is missing, damaged or unknown.
    """
    if kind == "features":
        raise SourceError(f"{path}: holds features and no pixels; name the slide to see a picture")
    if not SOURCES.knows(kind):
        known = nearest(kind, SOURCES.names())
        raise SourceError(f"{path}: no kind of image is called {kind!r}{known}")
    _check_mpp(path, kind, mpp)
    _check_file(path, kind)
    return SOURCES[kind](path, mpp, window)


SOURCES: Table[Callable[[Path, float | None, Window | None], ImageSource]] = Table(
    "source",
    {
        "slide": open_slide,
        "tile": PlainSource,
        "still": PlainSource,
        "ct": open_series,
    },
    given=("path", "mpp", "window"),
)


FOLDERS = ("slide", "ct")
"""Kinds that a folder may be: a slide in DICOM, a series."""


def pixels_of(kind: str, path: Path) -> PixelKind:
    """What an image of that kind in a manifest is made of, before it is opened."""
    try:
        return CT if kind == "ct" and not is_pictures(path) else RGB
    except OSError:  # a folder that cannot be read is refused, and told, where it is opened
        return CT


def _check_mpp(path: Path, kind: str, mpp: float | None) -> None:
    # pixels of a photograph or a radiograph may be larger than any microscope's
    fits = mpp is None or (is_plausible_spacing(mpp) if kind == "slide" else 0 < mpp < math.inf)
    if not fits:
        band = f"{LEAST_SPACING_UM:g} to {MOST_SPACING_UM:g}" if kind == "slide" else "above 0"
        raise SpacingError(
            f"{path}: spacing {mpp:g} from the manifest's column mpp is implausible; give µm per "
            f"pixel, {band}, or leave the cell empty"
        )


def _check_file(path: Path, kind: str) -> None:
    place = split_index(path) or split_page(path)
    if place is not None and kind == "slide":
        raise SourceError(f"{path}: one picture of several in a file is no slide; call it a tile")
    if split_index(path) is not None:  # its reader looks at the file
        return
    path = place[0] if place else path
    path = (split_series(path) or (path,))[0] if kind == "ct" else path
    if is_folder(path):
        if kind in FOLDERS:
            return
        raise SourceError(f"{path}: a folder, not an image; give the path of the file itself")
    refuse_irregular(path, SourceError)
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; correct the path in the manifest") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); mend its rights") from error
    if not first:
        raise SourceError(f"{path}: the file is empty; fetch it again")
