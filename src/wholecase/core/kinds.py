"""What a pixel is: one declared kind from the file to the network, never guessed on the way."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped

from wholecase.core.lookup import look_up


@dataclass(frozen=True)
class PixelKind:
    """What a source reads, a store keeps and a network gets.

    Between file and network the samples stay what they are, small integers. Where numbers are
    wanted they are `sample / divisor`: light in [0, 1], Hounsfield units as they are.
    """

    name: str
    dtype: str
    """numpy's name of the stored samples."""
    channels: int
    unit: str
    """Of the numbers; empty where they have none."""
    divisor: float
    """Turns samples into numbers."""
    low: float
    """The least number that is usual; the least there can be where the kind is bounded."""
    high: float
    bounded: bool
    """Whether numbers beyond `low` and `high` cannot be, so that changed pixels are clamped."""
    outside: int
    """The sample that stands where there is no image: white paper, air."""

    @property
    def bytes_per_pixel(self) -> int:
        """What a stored pixel takes."""
        return np.dtype(self.dtype).itemsize * self.channels

    def numbers(self, samples: Shaped[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
        """Stored samples as numbers of this kind.

        >>> KINDS["rgb"].numbers(np.array([0, 255], np.uint8)).tolist()
        [0.0, 1.0]
        """
        return samples.astype(np.float32) / np.float32(self.divisor)


RGB = PixelKind("rgb", "uint8", 3, "", 255.0, 0.0, 1.0, bounded=True, outside=255)
GREY = PixelKind("grey", "uint16", 1, "", 65535.0, 0.0, 1.0, bounded=True, outside=65535)
CT = PixelKind("ct", "int16", 1, "HU", 1.0, -1024.0, 3071.0, bounded=False, outside=-1024)

KINDS = {kind.name: kind for kind in (RGB, GREY, CT)}


def kind_of(name: str) -> PixelKind:
    """A kind by its name.

    Raises:
        RecipeError: there is none of this name.
    """
    return look_up(KINDS, name, "kind of pixels")
