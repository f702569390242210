"""A series as its slices."""

from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.instances.instances import Cut, Instances
from wholecase.instances.whole import sole_instance
from wholecase.sources import ImageSource


@final
class Slices(Cut):
    """Every plane of an image whole, in its order, resized to a square whatever its shape."""

    def __init__(self, side_px: int = 224) -> None:
        if side_px < 1:
            raise RecipeError(f"cut.side_px is {side_px}; give 1 pixel or more")
        self.side_px = side_px

    @property
    def settings(self) -> dict[str, Any]:
        """The delivered side."""
        return {"name": "slices", "side_px": self.side_px}

    def __call__(self, source: ImageSource, outline: Path | None = None) -> Instances:  # noqa: ARG002
        """One instance per plane; x and y are nan where the image has no spacing, z is its own."""
        size_px = source.levels[0].width_px, source.levels[0].height_px
        um = None if source.spacing is None else source.spacing.um
        heights = np.array(source.planes_um, np.float32)
        one = sole_instance(size_px, um, self.side_px)
        position_um = one.position_um.repeat(len(heights), axis=0)
        position_um[:, 2] = heights
        return replace(
            one,
            box_px=one.box_px.repeat(len(heights), axis=0),
            position_um=position_um,
            scale=one.scale.repeat(len(heights)),
            plane=np.arange(len(heights)),
        )
