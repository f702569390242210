"""What to read where in an image, and reading it as a stream."""

from wholecase.instances.cuts import CUTS, cut_for
from wholecase.instances.grid import Grid
from wholecase.instances.instances import Cut, Instances
from wholecase.instances.reading import stream
from wholecase.instances.share import covered_share
from wholecase.instances.tissue import TISSUES, otsu_tissue
from wholecase.instances.whole import Whole

__all__ = [
    "CUTS",
    "TISSUES",
    "Cut",
    "Grid",
    "Instances",
    "Whole",
    "covered_share",
    "cut_for",
    "otsu_tissue",
    "stream",
]
