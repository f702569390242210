"""What to read where: the instances of one image, as packed columns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from wholecase.core.errors import SourceError
from wholecase.instances.tissue import Tissue
from wholecase.sources import ImageSource

Box = tuple[int, int, int, int]
"""x, y of the top left, width, height, in level-0 pixels."""


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
    plane: Int64[np.ndarray, " N"] | None = None
    """Number of the slice that each lies on; None where all lie on the first."""
    squares: int | None = None
    """How many there were, where a share of them was chosen; None where all were taken."""

    def __len__(self) -> int:
        return len(self.box_px)

    def only(self, kept: Int64[np.ndarray, " M"]) -> "Instances":
        """These of them, in this order."""
        return replace(
            self,
            box_px=self.box_px[kept],
            position_um=self.position_um[kept],
            scale=self.scale[kept],
            plane=None if self.plane is None else self.plane[kept],
        )

    @property
    def planes(self) -> Int64[np.ndarray, " N"]:
        """Number of the slice that each lies on."""
        return np.zeros(len(self), np.int64) if self.plane is None else self.plane


def refuse_several_planes(source: ImageSource, cut: str) -> None:
    """Refuse a series where a cut knows of one plane only.

    Raises:
        SourceError: the image has several.
    """
    if (count := len(source.planes_um)) > 1:
        raise SourceError(
            f"{source.path}: has {count} slices, and the cut {cut} would take the first alone; set "
            f"cut.name=slices"
        )


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
