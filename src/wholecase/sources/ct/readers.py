"""The path of a series leads to what reads it; readers are imported when one is opened."""

from pathlib import Path

from wholecase.core.errors import SourceError
from wholecase.sources.ct.series_name import is_nifti, is_pictures, split_series
from wholecase.sources.samples import Window
from wholecase.sources.source import ImageSource


def open_series(path: Path, mpp: float | None, window: Window | None) -> ImageSource:
    """A series in Hounsfield units, or as pictures; `folder#4` names one of several.

    Raises:
        SourceError: it is damaged, no CT, or cannot be put in order.
    """
    if window is not None:
        raise SourceError(f"{path}: the recipe windows a CT; leave the column window empty")
    place, wanted = split_series(path) or (path, None)
    if wanted is not None and (is_nifti(place) or is_pictures(place)):
        raise SourceError(f"{path}: it is one series; leave the column series empty")
    if is_nifti(place):
        from wholecase.sources.ct.nifti import NiftiSeries

        return NiftiSeries(place, mpp)
    if is_pictures(place):
        from wholecase.sources.ct.pictures import PictureSeries

        return PictureSeries(place, mpp)
    from wholecase.sources.ct.dicom_ct import CtSeries

    return CtSeries(path, mpp, wanted)
