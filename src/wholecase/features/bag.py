"""An image's instances with their positions, as vectors or as pixels: what the stores keep."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64, Integer


@dataclass(frozen=True)
class Bag:
    """The N instances of one image. Numpy, so that nothing here needs torch."""

    values: Float32[np.ndarray, "N D"] | Integer[np.ndarray, "N side side channels"]
    """Encoded, or decoded only, for a model that learns from pixels."""
    box_px: Int64[np.ndarray, "N 4"]
    """x, y of the top left, width, height, in level-0 pixels."""
    position_um: Float32[np.ndarray, "N 3"]
    """Centre x, y, z in µm; nan where unknown."""
    scale: Float32[np.ndarray, " N"]
    """µm per encoded pixel, else magnification, else nan."""
    facts: dict[str, str] = field(default_factory=dict)
    """What is known of the image: `width_px`, `height_px`, `spacing_um`, `spacing_rung`; of a slide
    its `reader`; where it was interpolated, `upsampling`; where some instances could not be
    decoded, `skipped`."""

    plane: Int64[np.ndarray, " N"] | None = None
    """Number of the slice that each lies on; None where all lie on the first."""

    def __len__(self) -> int:
        return len(self.values)
