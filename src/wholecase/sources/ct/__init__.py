"""CT series in Hounsfield units: DICOM in folders and zips, NIfTI, folders of pictures."""

from wholecase.sources.ct.readers import open_series, open_stack
from wholecase.sources.ct.series_name import series_members, split_series

__all__ = ["open_series", "open_stack", "series_members", "split_series"]
