"""Trainable networks at the front of a model."""

from wholecase.core.table import Table
from wholecase.models.backbones.attended import Attended
from wholecase.models.backbones.backbone import Backbone, Build
from wholecase.models.backbones.cells import MAPS, WHOLE, cells_of, kept, of_grid
from wholecase.models.backbones.mapped import Mapped, mapped
from wholecase.models.backbones.paired import Paired
from wholecase.models.backbones.per_magnification import PerMagnification
from wholecase.models.backbones.resnet_grey import ResNetGrey
from wholecase.models.backbones.small_cnn import SmallCnn
from wholecase.models.backbones.timm_network import TimmNetwork

BACKBONES: Table[type[Backbone]] = Table(
    "backbone",
    {
        "attended": Attended,
        "paired": Paired,
        "per_magnification": PerMagnification,
        "resnet_grey": ResNetGrey,
        "small_cnn": SmallCnn,
        "timm": TimmNetwork,
    },
    Backbone,
    ("width", "build"),
)

__all__ = [
    "BACKBONES",
    "MAPS",
    "WHOLE",
    "Attended",
    "Backbone",
    "Build",
    "Mapped",
    "Paired",
    "PerMagnification",
    "ResNetGrey",
    "SmallCnn",
    "TimmNetwork",
    "cells_of",
    "kept",
    "mapped",
    "of_grid",
]
