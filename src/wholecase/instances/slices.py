"""A series as its slices."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.instances.head_crop import head_box
from wholecase.instances.instances import Cut, Instances
from wholecase.instances.whole import sole_instance
from wholecase.sources import ImageSource


@final
class Slices(Cut):
    """Every plane of an image in its order, resized to a square whatever its shape.

    Args:
        side_px: delivered.
        crop: `none` takes planes whole; `head` the least square that holds the head on all of them,
            so that slices stay on top of each other and keep one scale.
    """

    def __init__(self, side_px: int = 224, crop: Literal["none", "head"] = "none") -> None:
        if side_px < 1:
            raise RecipeError(f"cut.side_px is {side_px}; give 1 pixel or more")
        if crop not in {"none", "head"}:
            raise RecipeError(f"cut.crop is none or head, not {crop!r}")
        self.side_px, self.crop = side_px, crop

    @property
    def settings(self) -> dict[str, Any]:
        """The delivered side, and what planes are cut to."""
        crop = {} if self.crop == "none" else {"crop": self.crop}  # old stores keep their key
        return {"name": "slices", "side_px": self.side_px, **crop}

    def __call__(self, source: ImageSource, outline: Path | None = None) -> Instances:  # noqa: ARG002
        """One instance per plane; x and y are nan where the image has no spacing, z is its own."""
        size_px = source.levels[0].width_px, source.levels[0].height_px
        um = None if source.spacing is None else source.spacing.um
        heights = np.array(source.planes_um, np.float32)
        box = head_box(source) if self.crop == "head" else (0, 0, *size_px)
        one = sole_instance(box, um, self.side_px)
        position_um = one.position_um.repeat(len(heights), axis=0)
        position_um[:, 2] = heights
        return replace(
            one,
            box_px=one.box_px.repeat(len(heights), axis=0),
            position_um=position_um,
            scale=one.scale.repeat(len(heights)),
            plane=np.arange(len(heights)),
        )
