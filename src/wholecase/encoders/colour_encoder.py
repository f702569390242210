"""The encoder that needs no weights: statistics of colour and texture."""

from wholecase.encoders.encoder import Encoder


def colour(*, device: str = "cpu") -> Encoder:  # noqa: ARG001 (it is fast enough on the CPU)
    """Colour statistics: a first look at a cohort, and a floor that networks have to beat."""
    from wholecase.encoders.colour import COLOUR_WIDTH, encode_colour

    return Encoder("colour@1", COLOUR_WIDTH, None, encode_colour)
