"""Which reader takes a slide: OpenSlide where it knows the format and sees all of it."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image, TiffImagePlugin

from wholecase.core.errors import SourceError
from wholecase.sources.claims import ANY_TIFF
from wholecase.sources.damage import complaints
from wholecase.sources.marks import is_dicom, is_tiff
from wholecase.sources.plain import DECODE_ERRORS, PlainSource, opened
from wholecase.sources.pyramid import unpadded
from wholecase.sources.samples import Window
from wholecase.sources.slide import OpenSlideSource, vendor_of
from wholecase.sources.source import ImageSource

if TYPE_CHECKING:
    from tifffile import TiffPage

Reader = Callable[[Path, float | None, Window | None], ImageSource]


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
    if vendor not in (None, ANY_TIFF):
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
    # "layered": levels, colours or bits lie where neither OpenSlide nor Pillow looks for them, or
    # the levels are filled up to whole tiles, which OpenSlide takes for their size, or it is a
    # stack
    from tifffile import TiffFile

    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        first, *others = cast("list[TiffPage]", list(file.pages))
        deep = first.is_tiled and first.bitspersample > 8
        layers = file.is_ome or first.subifds or deep
        if layers or _is_padded(first, others) or _is_stack(first, others):
            return "layered"
        return "tiles" if first.is_tiled else "strips"
    return "unknown"


def _is_deep(path: Path) -> bool:
    # OpenSlide takes the high byte of such samples, whatever it holds
    from tifffile import TiffFile

    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        return bool(file.pages.first.bitspersample > 8)
    return False


def _is_padded(first: "TiffPage", others: "Sequence[TiffPage]") -> bool:
    first_px = first.imagewidth, first.imagelength
    return any(
        page.is_tiled
        and unpadded(
            (page.imagewidth, page.imagelength), first_px, (page.tilewidth, page.tilelength)
        )
        for page in others
    )


def _is_stack(first: "TiffPage", others: "Sequence[TiffPage]") -> bool:
    # OpenSlide takes the first of several pictures that are tiled, however large the others are
    return first.is_tiled and any(
        page.tags.valueof("NewSubfileType", 0) == 0
        and page.imagewidth >= first.imagewidth
        and page.imagelength >= first.imagelength
        for page in others
    )


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
