"""A toy of each of the five systems, and of what else fits: small, real, taught by one loop."""

from toys.clustering import clustering
from toys.magnifications import magnifications
from toys.neighbours import neighbours
from toys.positions import positions
from toys.several import several
from toys.slices import slices
from toys.toy import InMemory, Toy
from toys.views import views
from toys.vit import vit, vit_tokens
from toys.written import written

TOYS = {
    "egfr-clam": clustering,
    "egfr-clam, slide by slide": several,
    "brain-mets-ct": slices,
    "breakhis-mmnet": views,
    "pcam-attention": positions,
    "metric-ensemble": neighbours,
    "a transformer": vit,
    "a transformer's tokens": vit_tokens,
    "networks side by side": written("paired", positions.example),
    "a network per magnification": magnifications,
}

__all__ = ["TOYS", "InMemory", "Toy"]
