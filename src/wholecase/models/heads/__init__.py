"""Decide, and know the loss that teaches it."""

from wholecase.core.table import Table
from wholecase.models.heads.binary import Binary
from wholecase.models.heads.clam import Clam
from wholecase.models.heads.focal import Focal
from wholecase.models.heads.head import Head
from wholecase.models.heads.multiclass import Multiclass
from wholecase.models.heads.neighbours import Neighbours

HEADS: Table[type[Head]] = Table(
    "head",
    {
        "binary": Binary,
        "clam": Clam,
        "focal": Focal,
        "multiclass": Multiclass,
        "neighbours": Neighbours,
    },
    Head,
    ("width", "branches", "classes", "counts"),
)

__all__ = ["HEADS", "Binary", "Clam", "Focal", "Head", "Multiclass", "Neighbours"]
