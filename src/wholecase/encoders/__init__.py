"""Frozen networks: pixels in, vectors out."""

from wholecase.encoders.encoder import Encoder
from wholecase.encoders.entry import Published
from wholecase.encoders.field import FIELD
from wholecase.encoders.known import ENCODERS
from wholecase.encoders.published import check_spacing, published_encoder
from wholecase.encoders.spec import EncoderSpec
from wholecase.encoders.stored import STORED, stored_encoder, stored_origin

__all__ = [
    "ENCODERS",
    "FIELD",
    "STORED",
    "Encoder",
    "EncoderSpec",
    "Published",
    "check_spacing",
    "published_encoder",
    "stored_encoder",
    "stored_origin",
]
