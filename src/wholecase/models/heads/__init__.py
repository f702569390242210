"""Decide, and know the loss that teaches it."""

from wholecase.models.heads.binary import Binary
from wholecase.models.heads.head import Head
from wholecase.models.heads.multiclass import Multiclass

HEADS: dict[str, type[Head]] = {
    "binary": Binary,
    "multiclass": Multiclass,
}

__all__ = ["HEADS", "Binary", "Head", "Multiclass"]
