"""Trainable networks at the front of a model."""

from wholecase.models.backbones.backbone import Backbone

__all__ = ["Backbone"]
