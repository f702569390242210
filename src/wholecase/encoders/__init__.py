"""Frozen networks: pixels in, vectors out."""

from wholecase.encoders.encoder import Encoder
from wholecase.encoders.spec import EncoderSpec
from wholecase.encoders.table import ENCODERS

__all__ = ["ENCODERS", "Encoder", "EncoderSpec"]
