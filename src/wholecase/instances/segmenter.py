"""What every way of finding tissue answers."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8


class Segmenter(ABC):
    """Finds the tissue of a slide in its thumbnail."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Name, options and revision as JSON values: all that determines the mask."""

    @abstractmethod
    def __call__(
        self, pixels: UInt8[np.ndarray, "H W 3"], spacing_um: float
    ) -> Bool[np.ndarray, "H W"]:
        """The tissue of a thumbnail of this spacing; empty on blank glass."""
