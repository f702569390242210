"""What to read where: the instances of one image, as packed columns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from wholecase.instances.tissue import Tissue
from wholecase.sources import ImageSource


@dataclass(frozen=True)
class Instances:
    """N rectangles of one image, each to be delivered as `side_px` x `side_px` pixels."""

    box_px: Int64[np.ndarray, "N 4"]
    """x, y of the top left, width, height, in level-0 pixels."""
    position_um: Float32[np.ndarray, "N 3"]
    """Centre x, y, z in µm; nan where the image has no spacing."""
    scale: Float32[np.ndarray, " N"]
    """µm per delivered pixel, else the magnification from the manifest, else nan."""
    side_px: int
    """Side of the delivered pixels."""
    upsampled: float = 1.0
    """How many times finer than the file the pixels are delivered, where they are interpolated."""
    tissue: Tissue | None = None
    """What they were chosen by, where they were."""

    def __len__(self) -> int:
        return len(self.box_px)


class Cut(ABC):
    """Turns an image into instances."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """All that determines the result, as JSON values: part of the feature store's key."""

    @abstractmethod
    def __call__(self, source: ImageSource, outline: Path | None = None) -> Instances:
        """At least one instance of the image.

        Args:
            source: the open image.
            outline: GeoJSON of where its tissue lies, in level-0 pixels; goes before whatever the
                cut would find by itself. A cut that looks for no tissue has no use for it.

        Raises:
            NoTissueError: the image was read and holds nothing to cut.
            SourceError: the spacing is missing, implausible or too coarse.
        """
