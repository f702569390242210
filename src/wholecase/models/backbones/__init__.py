"""Trainable networks at the front of a model."""

from wholecase.models.backbones.backbone import Backbone
from wholecase.models.backbones.cells import cells_of
from wholecase.models.backbones.small_cnn import SmallCnn

BACKBONES: dict[str, type[Backbone]] = {"small_cnn": SmallCnn}

__all__ = ["BACKBONES", "Backbone", "SmallCnn", "cells_of"]
