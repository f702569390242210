"""Bags on disk: one file per image, never mixed."""

from wholecase.features.bag import Bag

__all__ = ["Bag"]
