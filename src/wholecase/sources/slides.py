"""Which reader takes a slide: OpenSlide where it knows the format and sees all of it."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image, TiffImagePlugin

from wholecase.core.errors import SourceError
from wholecase.sources.damage import complaints
from wholecase.sources.marks import is_dicom, is_tiff
from wholecase.sources.plain import DECODE_ERRORS, PlainSource, opened
from wholecase.sources.samples import Window
from wholecase.sources.slide import OpenSlideSource, vendor_of
from wholecase.sources.source import ImageSource

Reader = Callable[[Path, float | None, Window | None], ImageSource]

_ANY_TIFF = "generic-tiff"
"""What OpenSlide calls a tiled TIFF of no vendor; it sees neither OME-XML nor SubIFDs."""


def open_slide(path: Path, mpp: float | None, window: Window | None = None) -> ImageSource:
    """The slide through the first reader that opens it.

    Raises:
        SourceError: none does; in the words of the last one.
    """
    refusal = SourceError(
        f"{path}: not a slide that OpenSlide knows, or cut off; fetch the file again, or convert "
        f"it to a tiled, pyramidal TIFF"
    )
    for reader in _readers(path):
        try:
            return reader(path, mpp, window)
        except SourceError as error:
            refusal = error
    raise refusal


def _readers(path: Path) -> tuple[Reader, ...]:
    # not OpenSlide, which crashes on damaged frames and takes their order and colours on trust
    if path.is_dir() or is_dicom(path):
        return (dicom,)
    vendor = vendor_of(path)
    if vendor not in (None, _ANY_TIFF):
        return (tiff,) if is_tiff(path) and _is_deep(path) else (OpenSlideSource,)
    # the .mrxs file itself is a JPEG preview; the slide lies in the folder of the same name
    if path.suffix.lower() == ".mrxs":
        raise SourceError(f"{path}: the folder {path.stem!r} that belongs beside it is missing")
    if is_tiff(path):
        return _tiff_readers(path, known=vendor is not None)
    return (PlainSource,) if _is_picture(path) else ()


def _tiff_readers(path: Path, *, known: bool) -> tuple[Reader, ...]:
    layout = _layout(path)
    if known and layout != "layered":
        return OpenSlideSource, tiff
    if layout != "strips":
        return (tiff,)
    # strips under a scanner's extension are what is left of a damaged slide
    return (PlainSource, tiff) if path.suffix.lower() in {".tif", ".tiff"} else ()


def _layout(path: Path) -> str:
    # "layered": levels, colours or bits lie where neither OpenSlide nor Pillow looks for them
    from tifffile import TiffFile

    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        first = file.pages.first
        deep = first.is_tiled and first.bitspersample > 8
        if file.is_ome or first.subifds or deep:
            return "layered"
        return "tiles" if first.is_tiled else "strips"
    return "unknown"


def _is_deep(path: Path) -> bool:
    # OpenSlide takes the high byte of such samples, whatever it holds
    from tifffile import TiffFile

    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        return bool(file.pages.first.bitspersample > 8)
    return False


def dicom(path: Path, mpp: float | None, window: Window | None = None) -> ImageSource:
    """A DICOM slide, its reader loaded now."""
    from wholecase.sources.dicom import DicomSource

    return DicomSource(path, mpp, window)


def tiff(path: Path, mpp: float | None, window: Window | None = None) -> ImageSource:
    """A TIFF slide, its reader loaded now."""
    from wholecase.sources.tiff import TiffSource

    return TiffSource(path, mpp, window)


def _is_picture(path: Path) -> bool:
    try:
        with opened(path) as image:
            return not isinstance(image, TiffImagePlugin.TiffImageFile)
    except (Image.DecompressionBombError, *DECODE_ERRORS):
        return False
