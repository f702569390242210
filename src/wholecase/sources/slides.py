"""Which reader takes a slide: ours where the tiles are JPEG, OpenSlide where it sees all of it."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image, TiffImagePlugin

from wholecase.core.errors import SourceError
from wholecase.sources.aperio import VENDOR as APERIO
from wholecase.sources.claims import ANY_TIFF
from wholecase.sources.marks import is_dicom, is_tiff
from wholecase.sources.plain import DECODE_ERRORS, PlainSource, opened
from wholecase.sources.samples import Window
from wholecase.sources.slide import OpenSlideSource, vendor_of
from wholecase.sources.source import ImageSource

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
        return _vendors_readers(path, vendor) if is_tiff(path) else (OpenSlideSource,)
    # the .mrxs file itself is a JPEG preview; the slide lies in the folder of the same name
    if path.suffix.lower() == ".mrxs":
        raise SourceError(f"{path}: the folder {path.stem!r} that belongs beside it is missing")
    if is_tiff(path):
        return _tiff_readers(path, known=vendor is not None)
    return (PlainSource,) if _is_picture(path) else ()


def _vendors_readers(path: Path, vendor: str | None) -> tuple[Reader, ...]:
    from wholecase.sources.tiff_layout import is_deep, is_jpeg

    if is_deep(path):
        return (tiff,)
    return (tiff, OpenSlideSource) if vendor == APERIO and is_jpeg(path) else (OpenSlideSource,)


def _tiff_readers(path: Path, *, known: bool) -> tuple[Reader, ...]:
    from wholecase.sources.tiff_layout import layout_of

    layout = layout_of(path)
    if known and layout != "layered":
        return (tiff, OpenSlideSource) if layout == "jpeg" else (OpenSlideSource, tiff)
    if layout != "strips":
        return (tiff,)
    # strips under a scanner's extension are what is left of a damaged slide
    return (PlainSource, tiff) if path.suffix.lower() in {".tif", ".tiff"} else ()


def shown_by_openslide(source: ImageSource) -> bool:
    """Whether viewers that use OpenSlide show the same of the slide."""
    reader = source.header.reader
    # where OpenSlide comes second, it could have read the file as well
    return reader == "openslide" or (
        reader == "tiff" and _readers(source.path) == (tiff, OpenSlideSource)
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
