"""An image as one instance."""

from pathlib import Path
from typing import Any, final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.instances.grid import centres
from wholecase.instances.instances import Box, Cut, Instances, refuse_several_planes
from wholecase.sources import ImageSource


@final
class Whole(Cut):
    """The whole image, resized to a square whatever its shape: ready tiles, photographs."""

    def __init__(self, side_px: int = 224) -> None:
        if side_px < 1:
            raise RecipeError(f"cut.side_px is {side_px}; give 1 pixel or more")
        self.side_px = side_px

    @property
    def settings(self) -> dict[str, Any]:
        """The delivered side."""
        return {"name": "whole", "side_px": self.side_px}

    def __call__(self, source: ImageSource, outline: Path | None = None) -> Instances:  # noqa: ARG002
        """One instance; its position and scale are nan where the image has no spacing.

        The scale of an image that is not square is that of its longer side.

        Raises:
            SourceError: the image is a series.
        """
        refuse_several_planes(source, "whole")
        size_px = source.levels[0].width_px, source.levels[0].height_px
        um = None if source.spacing is None else source.spacing.um
        return sole_instance((0, 0, *size_px), um, self.side_px)


def sole_instance(box: Box, spacing_um: float | None, side_px: int) -> Instances:
    """A rectangle of a picture as one instance; `spacing_um` None where nothing tells."""
    box_px = np.array([box], np.int64)
    um = np.nan if spacing_um is None else spacing_um
    return Instances(
        box_px=box_px,
        position_um=np.full((1, 3), np.nan, np.float32) if np.isnan(um) else centres(box_px, um),
        scale=np.array([um * max(box[2:]) / side_px], np.float32),
        side_px=side_px,
    )
