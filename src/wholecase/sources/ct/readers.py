"""The path of a series leads to what reads it; readers are imported when one is opened."""

from pathlib import Path

from wholecase.core.errors import SourceError
from wholecase.sources.ct.series_name import is_nifti, is_stack, split_series
from wholecase.sources.samples import Window
from wholecase.sources.source import ImageSource


def open_series(path: Path, mpp: float | None, window: Window | None) -> ImageSource:
    """A series in Hounsfield units; `folder#4` names one of several.

    Raises:
        SourceError: it is damaged, no CT, or cannot be put in order.
    """
    _refuse_window(path, window, "the recipe windows Hounsfield units")
    place, wanted = split_series(path) or (path, None)
    if is_nifti(place):
        from wholecase.sources.ct.nifti import NiftiSeries

        if wanted is not None:
            raise SourceError(f"{path}: a volume is one series; leave the column series empty")
        return NiftiSeries(place, mpp)
    if is_stack(place):
        raise SourceError(
            f"{path}: a folder of pictures, which know no Hounsfield units; call it a stack"
        )
    from wholecase.sources.ct.dicom_ct import CtSeries

    return CtSeries(path, mpp, wanted)


def open_stack(path: Path, mpp: float | None, window: Window | None) -> ImageSource:
    """A folder of pictures as the slices of a series.

    Raises:
        SourceError: something else lies in it, or a picture is damaged.
    """
    from wholecase.sources.ct.stack import Stack

    _refuse_window(path, window, "the window of pictures is baked in")
    if not is_stack(path):
        raise SourceError(f"{path}: no folder of pictures alone; call a DICOM series ct")
    return Stack(path, mpp)


def _refuse_window(path: Path, window: Window | None, why: str) -> None:
    if window is not None:
        raise SourceError(f"{path}: {why}; leave the column window empty")
