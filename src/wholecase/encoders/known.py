"""The menu of encoders."""

from collections.abc import Callable

from wholecase.core.table import Table
from wholecase.encoders.colour_encoder import colour
from wholecase.encoders.encoder import Encoder
from wholecase.encoders.onnx_encoder import onnx
from wholecase.encoders.paired_encoder import paired
from wholecase.encoders.resnet50 import resnet50
from wholecase.encoders.timm_encoder import timm_encoder

ENCODERS: Table[Callable[..., Encoder]] = Table(
    "encoder",
    {
        "colour": colour,
        "onnx": onnx,
        "paired": paired,
        "resnet50": resnet50,
        "timm": timm_encoder,
    },
    given=("device", "build"),
)
"""Name in a recipe -> factory. A name that is not here is tried as one of timm's."""
