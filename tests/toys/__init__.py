"""A toy of each of the five systems: small, real, and taught by the same loop."""

from toys.clustering import clustering
from toys.neighbours import neighbours
from toys.positions import positions
from toys.slices import slices
from toys.toy import InMemory, Toy
from toys.views import views

TOYS = {
    "egfr-clam": clustering,
    "brain-mets-ct": slices,
    "breakhis-mmnet": views,
    "pcam-attention": positions,
    "metric-ensemble": neighbours,
}

__all__ = ["TOYS", "InMemory", "Toy"]
