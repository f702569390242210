"""Bags on disk: one file per image, never mixed."""

from wholecase.features.bag import Bag
from wholecase.features.store import Store

__all__ = ["Bag", "Store"]
