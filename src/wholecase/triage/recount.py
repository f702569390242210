"""A finished map under another threshold: its regions and picture anew, nothing judged again."""

from dataclasses import replace

import numpy as np

from wholecase.sources import Thumbnail
from wholecase.triage.slide_files import SlideFiles, write_slide
from wholecase.triage.slide_map import SlideMap
from wholecase.triage.sweep import Surveyed, Sweep, sweep_blocks


def recount(
    files: SlideFiles, there: SlideMap, sweep: Sweep, threshold: float, *, positive: str, key: str
) -> SlideMap:
    """The map with this threshold; where that is another one, its files are written anew.

    Raises:
        SourceError: the slide, of which a picture is needed, can no longer be read.
    """
    if there.threshold == threshold:
        return there
    drawn = replace(there, threshold=threshold)
    parts = sweep_blocks(Surveyed(sweep, there.raster, np.isfinite(there.grid)))
    picture = next(part for part in parts if isinstance(part, Thumbnail))
    write_slide(files, drawn, picture, positive, key)
    return drawn
