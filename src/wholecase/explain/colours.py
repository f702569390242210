"""The colours of a heatmap: readable by the colour-blind, and in print."""

import numpy as np
from jaxtyping import Float, UInt8

VIRIDIS = (
    "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e "
    "1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725"
)
"""Viridis at 16 even steps (van der Walt & Smith 2015, dedicated to the public domain)."""


RED_BLUE = "2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b"
"""RdBu at 9 even steps (ColorBrewer, Harrower & Brewer 2003, Apache 2.0): of two sides."""


def colours(
    heat: Float[np.ndarray, "*shape"], palette: str = VIRIDIS
) -> UInt8[np.ndarray, "*shape 3"]:
    """RGB of heat 0 to 1: of viridis from dark violet to yellow, lightness rising throughout.

    >>> colours(np.array([0.0, 1.0])).tolist()
    [[68, 1, 84], [253, 231, 37]]
    """
    anchors = np.array([list(bytes.fromhex(colour)) for colour in palette.split()])
    at = np.clip(heat, 0.0, 1.0) * (len(anchors) - 1)
    steps = np.arange(len(anchors))
    channels = [np.interp(at, steps, anchors[:, c]) for c in range(3)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)
