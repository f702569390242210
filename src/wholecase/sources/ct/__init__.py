"""CT series: Hounsfield units in DICOM folders and zips, in NIfTI; and slices as pictures."""

from wholecase.sources.ct.readers import open_series
from wholecase.sources.ct.series_name import is_pictures, series_members, split_series

__all__ = ["is_pictures", "open_series", "series_members", "split_series"]
