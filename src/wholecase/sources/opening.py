"""The manifest's `kind` leads to what reads the file."""

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, TiffImagePlugin

from wholecase.core.errors import SourceError
from wholecase.core.lookup import nearest
from wholecase.core.units import LEAST_SPACING_UM, MOST_SPACING_UM, is_plausible_spacing
from wholecase.sources.plain import DECODE_ERRORS, PlainSource, opened
from wholecase.sources.slide import OpenSlideSource, is_known
from wholecase.sources.source import ImageSource

_TILED = 322  # the TIFF tag TileWidth


def open_source(path: Path, kind: str, mpp: float | None = None) -> ImageSource:
    """An open image; close it, or use it as a context manager.

    Args:
        path: the file.
        kind: the manifest's `kind`, a key of `SOURCES`.
        mpp: the manifest's `mpp`; goes before whatever the file tells.

    Raises:
        SourceError: the file is missing, damaged or unknown, or `mpp` cannot be.
    """
    if kind not in SOURCES:
        raise SourceError(f"{path}: no kind of image is called {kind!r}{nearest(kind, SOURCES)}")
    _check_mpp(path, kind, mpp)
    _check_file(path)
    return SOURCES[kind](path, mpp)


def open_slide(path: Path, mpp: float | None) -> ImageSource:
    """A slide through OpenSlide, or a flat picture whose spacing only the manifest tells."""
    if is_known(path):
        return OpenSlideSource(path, mpp)
    # the .mrxs file itself is a JPEG preview; the slide lies in the folder of the same name
    if path.suffix.lower() == ".mrxs":
        raise SourceError(f"{path}: the folder {path.stem!r} that belongs beside it is missing")
    if _is_flat(path):
        return PlainSource(path, mpp)
    raise SourceError(
        f"{path}: not a slide that OpenSlide knows, or cut off; fetch the file again, or convert "
        f"it to a tiled, pyramidal TIFF"
    )


SOURCES: dict[str, Callable[[Path, float | None], ImageSource]] = {
    "slide": open_slide,
    "tile": PlainSource,
    "still": PlainSource,
    "ct": PlainSource,
}


def _check_mpp(path: Path, kind: str, mpp: float | None) -> None:
    # pixels of a photograph or a radiograph may be larger than any microscope's
    fits = mpp is None or (is_plausible_spacing(mpp) if kind == "slide" else 0 < mpp < math.inf)
    if not fits:
        band = f"{LEAST_SPACING_UM:g} to {MOST_SPACING_UM:g}" if kind == "slide" else "above 0"
        raise SourceError(
            f"{path}: spacing {mpp:g} from the manifest's column mpp is implausible; give µm per "
            f"pixel, {band}, or leave the cell empty"
        )


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"{path}: a folder, not an image; give the path of the file itself")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file; correct the path in the manifest") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); mend its rights") from error
    if not first:
        raise SourceError(f"{path}: the file is empty; fetch it again")


def _is_flat(path: Path) -> bool:
    try:
        with opened(path) as image:
            if not isinstance(image, TiffImagePlugin.TiffImageFile):
                return True
            # a tiled TIFF that OpenSlide does not know is a damaged or foreign slide
            return path.suffix.lower() in {".tif", ".tiff"} and _TILED not in image.tag_v2
    except (Image.DecompressionBombError, *DECODE_ERRORS):
        return False
