"""How bright the pixels of an instance are."""

import numpy as np

from wholecase.encoders import Encoder


def grey_histogram(*, bins: int = 16, device: str = "cpu") -> Encoder:  # noqa: ARG001 (no network)
    """The shares of pixels in steps of brightness.

    Args:
        bins: how many steps.
        device: where a network would compute.
    """

    def encode(pixels: np.ndarray) -> np.ndarray:
        grey = pixels.reshape(len(pixels), -1, 3).mean(2)
        step = np.minimum((grey * bins / 256).astype(np.int64), bins - 1)
        shares = [np.bincount(own, minlength=bins) / own.size for own in step]
        return np.asarray(shares, dtype=np.float32)

    # the identity must change whenever the vectors do: stored ones are found again by it
    return Encoder(f"example-grey-histogram@1-{bins}", bins, None, encode)
