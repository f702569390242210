"""What to read where in an image, and reading it as a stream."""

from wholecase.instances.classical import Classical
from wholecase.instances.cuts import CUTS, cut_for
from wholecase.instances.grid import MOST_UPSAMPLING, Grid
from wholecase.instances.instances import Cut, Instances
from wholecase.instances.otsu import Otsu
from wholecase.instances.outline import tissue_geojson, tissue_picture
from wholecase.instances.reading import file_order, stream
from wholecase.instances.segmenter import Segmenter
from wholecase.instances.share import covered_share
from wholecase.instances.slices import Slices
from wholecase.instances.tissue import TISSUES, Tissue
from wholecase.instances.whole import Whole, sole_instance

__all__ = [
    "CUTS",
    "MOST_UPSAMPLING",
    "TISSUES",
    "Classical",
    "Cut",
    "Grid",
    "Instances",
    "Otsu",
    "Segmenter",
    "Slices",
    "Tissue",
    "Whole",
    "covered_share",
    "cut_for",
    "file_order",
    "sole_instance",
    "stream",
    "tissue_geojson",
    "tissue_picture",
]
