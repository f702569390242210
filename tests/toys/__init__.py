"""A toy of each of the five systems, one of them twice: small, real, taught by the same loop."""

from toys.clustering import clustering
from toys.neighbours import neighbours
from toys.positions import positions
from toys.several import several
from toys.slices import slices
from toys.toy import InMemory, Toy
from toys.views import views

TOYS = {
    "egfr-clam": clustering,
    "egfr-clam, slide by slide": several,
    "brain-mets-ct": slices,
    "breakhis-mmnet": views,
    "pcam-attention": positions,
    "metric-ensemble": neighbours,
}

__all__ = ["TOYS", "InMemory", "Toy"]
