"""What the colours of a case's heatmap say in numbers, as the run kept it."""

from collections.abc import Mapping

from wholecase.report.records import HeatKey
from wholecase.report.table_cells import finite


def heat_key(entry: object) -> HeatKey | None:
    """Of `heat` in `pictures.json`; None of runs that kept none."""
    if not isinstance(entry, Mapping):
        return None
    ticks = tuple((finite(at) or 0.0, str(text)) for at, text in entry.get("ticks") or ())
    colours = tuple(str(colour) for colour in entry.get("colours") or ())
    return HeatKey(str(entry.get("says", "")), ticks, colours) if ticks and colours else None
