"""Squares of one physical size over the tissue of an image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from wholecase.core.errors import NoTissueError, RecipeError, SourceError, SpacingError
from wholecase.core.units import is_plausible_spacing
from wholecase.instances.instances import Cut, Instances, refuse_several_planes
from wholecase.instances.outline import tissue_picture
from wholecase.instances.sample import sample_of
from wholecase.instances.share import covered_share
from wholecase.instances.tissue import Tissue, find_tissue, read_tissue, segmenter_of
from wholecase.sources import ABOUT_EQUAL, ImageSource, level_for

MOST_UPSAMPLING = 0.10
"""An image coarser than asked by more than this share would be cut into invented detail."""
LEAST = 0.25
"""Share of a square that tissue covers at least, unless the recipe says otherwise."""


@final
class Grid(Cut):
    """Whole squares without gap or overlap, from the top left, those with enough tissue.

    Args:
        side_px: side of a delivered square.
        spacing_um: µm per delivered pixel. A level within 1 % of it is taken as it is, without
            resampling; else the nearest finer one is reduced; up to 10 % are interpolated.
        tissue: None keeps all squares; `{"name": "classical", "least": 0.25}` those that the mask
            of that name (a key of `TISSUES`) covers by that share at least. All else in it are
            options of that mask.
        sample: None keeps all of these; `{"share": 0.2}` chooses that share of them by a cheap look
            (`Sample`).
    """

    def __init__(
        self,
        side_px: int = 224,
        spacing_um: float | int = 0.5,
        tissue: Mapping[str, Any] | None = None,
        sample: Mapping[str, Any] | None = None,
    ) -> None:
        if side_px < 2:
            raise RecipeError(f"cut.side_px is {side_px}; give 2 pixels or more")
        if not is_plausible_spacing(spacing_um):
            raise RecipeError(f"cut.spacing_um is {spacing_um:g}; give µm/px between 0.05 and 50")
        self.side_px, self.spacing_um = side_px, float(spacing_um)
        options = dict(tissue or {})
        self._least = _checked(options.pop("least", LEAST))
        self._segmenter = None if tissue is None else segmenter_of(options)
        self._sample = sample_of(sample)

    @property
    def settings(self) -> dict[str, Any]:
        """All that determines which squares are cut, the revision of the mask included."""
        found = self._segmenter and {**self._segmenter.settings, "least": self._least}
        sides = {"side_px": self.side_px, "spacing_um": self.spacing_um}
        sample = {} if self._sample is None else {"sample": self._sample.settings}
        return {"name": "grid", **sides, "tissue": found, **sample}  # old stores keep their key

    def __call__(self, source: ImageSource, outline: Path | None = None) -> Instances:
        """The squares, row by row.

        Args:
            source: the open image.
            outline: GeoJSON of where its tissue lies, in level-0 pixels. Squares are then chosen
                by it, also where the recipe keeps all.

        Raises:
            NoTissueError: no square holds enough tissue.
            SpacingError: the spacing is unknown or too coarse.
            SourceError: the image is smaller than a square, a series, or its outline unreadable.
        """
        refuse_several_planes(source, "grid")
        spacing_um = self._spacing_of(source)
        side = self._side_at_level_0(source, spacing_um)
        size_px = source.levels[0].width_px, source.levels[0].height_px
        boxes = squares(size_px, side)
        if len(boxes) == 0:
            raise SourceError(
                f"{source.path}: its {size_px[0]} x {size_px[1]} px are smaller than one square "
                f"of {side:.0f} px; lower cut.side_px or leave the image out"
            )
        tissue = self._tissue_of(source, spacing_um, outline)
        if tissue is not None:
            boxes = boxes[self._has_tissue(source, tissue, boxes)]
        every = Instances(
            box_px=boxes,
            position_um=centres(boxes, spacing_um),
            scale=np.full(len(boxes), self.spacing_um, np.float32),
            side_px=self.side_px,
            upsampled=max(1.0, self.side_px / side),
            tissue=tissue,
        )
        return every if self._sample is None else self._sample(source, every, side * spacing_um)

    def _spacing_of(self, source: ImageSource) -> float:
        if source.spacing is None:
            raise SpacingError(
                f"{source.path}: spacing unknown ({source.header.spacing_note}); give it in µm "
                f"per pixel in the manifest's column mpp"
            )
        # a hair of room for 0.55 / 0.5
        if source.spacing.um > self.spacing_um * (1 + MOST_UPSAMPLING) + 1e-9:
            raise SpacingError(
                f"{source.path}: its finest {source.spacing.um:g} µm/px (from "
                f"{source.spacing.rung}) are too coarse for the {self.spacing_um:g} asked; raise "
                f"cut.spacing_um, or correct the manifest's column mpp if the file is wrong"
            )
        return source.spacing.um

    def _side_at_level_0(self, source: ImageSource, spacing_um: float) -> float:
        asked = self.spacing_um / spacing_um
        stored = source.levels[level_for(source.levels, asked)].downsample
        return self.side_px * (stored if abs(stored - asked) <= ABOUT_EQUAL * asked else asked)

    def _tissue_of(
        self, source: ImageSource, spacing_um: float, outline: Path | None
    ) -> Tissue | None:
        if outline is not None:
            return read_tissue(source, spacing_um, outline)
        if self._segmenter is not None:
            return find_tissue(source, spacing_um, self._segmenter)
        return None

    def _has_tissue(
        self, source: ImageSource, tissue: Tissue, boxes: Int64[np.ndarray, "N 4"]
    ) -> Bool[np.ndarray, " N"]:
        size_px = source.levels[0].width_px, source.levels[0].height_px
        share = covered_share(tissue.mask, size_px, boxes)
        enough: Bool[np.ndarray, " N"] = share >= self._least
        if not enough.any():
            raise NoTissueError(
                f"{source.path}: no square holds {self._least:.0%} tissue (most: "
                f"{share.max():.0%}); lower cut.tissue.least, outline the tissue by hand in the "
                f"manifest's column tissue, or leave the image out",
                picture=tissue_picture(tissue),
            )
        return enough


def squares(size_px: tuple[int, int], side: float) -> Int64[np.ndarray, "N 4"]:
    """All whole squares inside an image, row by row; corners lie at multiples of the exact side.

    Each corner is rounded by itself, so that squares meet and the last one has not drifted.
    """
    x, y = (_edges(length, side) for length in size_px)
    top, left = np.meshgrid(y[:-1], x[:-1], indexing="ij")
    height, width = np.meshgrid(np.diff(y), np.diff(x), indexing="ij")
    return np.stack([left, top, width, height], axis=-1).reshape(-1, 4)


def centres(boxes: Int64[np.ndarray, "N 4"], spacing_um: float) -> Float32[np.ndarray, "N 3"]:
    """Centres of boxes as x, y, z in µm; z is 0, for one plane is all there is."""
    flat: Float64[np.ndarray, "N 2"] = (boxes[:, :2] + boxes[:, 2:] / 2) * spacing_um
    return np.pad(flat, ((0, 0), (0, 1))).astype(np.float32)


def _edges(length_px: int, side: float) -> Int64[np.ndarray, " n"]:
    edges: Int64[np.ndarray, " m"] = np.rint(np.arange(int(length_px / side) + 2) * side).astype(
        np.int64
    )
    inside: Int64[np.ndarray, " n"] = edges[edges <= length_px]
    return inside


def _checked(least: object) -> float:
    if isinstance(least, int | float) and not isinstance(least, bool) and 0 <= least <= 1:
        return float(least)
    raise RecipeError(f"cut.tissue.least is {least!r}; give a share between 0 and 1")
