"""CT series: Hounsfield units in DICOM folders and zips, in NIfTI; and slices as pictures."""

from wholecase.sources.ct.readers import open_series
from wholecase.sources.ct.series_name import is_nifti, is_pictures, series_members, split_series
from wholecase.sources.ct.volume_mask import volume_mask

__all__ = [
    "is_nifti",
    "is_pictures",
    "open_series",
    "series_members",
    "split_series",
    "volume_mask",
]
