"""Where the tiles of a feature file lie, as far as it tells, and the bag that comes of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from wholecase.features.bag import Bag


@dataclass(frozen=True)
class Places:
    """Tiles as a feature file places them; what it does not tell is None."""

    corner_px: Float64[np.ndarray, "N 2"] | None = None
    """x, y of the top left in level-0 pixels."""
    corner_um: Float64[np.ndarray, "N 2"] | None = None
    """The same in µm."""
    side_px: float | None = None
    """Side of a tile in level-0 pixels."""
    side_um: float | None = None
    encoded_px: float | None = None
    """Side of a tile as the encoder saw it."""
    spacing_um: float | None = None
    """µm per level-0 pixel."""
    rung: str = ""
    """Where the spacing comes from."""
    size_px: tuple[int, int] | None = None
    """Width and height of the slide at level 0."""
    magnification: float | None = None
    """That the tiles were seen at, as the file names it."""

    def scale_um(self, mpp: float | None) -> float | None:
        """µm per pixel as the encoder saw it; `mpp` is the manifest's."""
        _, side_um = _sides(self, mpp or self.spacing_um)
        return side_um / self.encoded_px if side_um and self.encoded_px else None


def bag_of(values: Float32[np.ndarray, "N D"], places: Places, mpp: float | None) -> Bag:
    """The bag of a feature file; `mpp` is the manifest's and goes before the file's spacing.

    Boxes are of zero size and positions nan where the file does not tell them.
    """
    spacing = mpp or places.spacing_um
    side_px, side_um = _sides(places, spacing)
    corner_px, corner_um = _corners(places, spacing)
    scale = places.scale_um(mpp) or np.nan
    return Bag(
        values=values,
        box_px=_boxes(corner_px, side_px, len(values)),
        position_um=_centres(corner_um, side_um, len(values)),
        scale=np.full(len(values), scale, np.float32),
        facts=_facts(places, mpp),
    )


def _sides(places: Places, spacing: float | None) -> tuple[float | None, float | None]:
    px, um = places.side_px, places.side_um
    if spacing and px is None and um is not None:
        px = um / spacing
    if spacing and um is None and px is not None:
        um = px * spacing
    return px, um


def _corners(
    places: Places, spacing: float | None
) -> tuple[Float64[np.ndarray, "N 2"] | None, Float64[np.ndarray, "N 2"] | None]:
    px, um = places.corner_px, places.corner_um
    if spacing and px is None and um is not None:
        px = um / spacing
    if spacing and um is None and px is not None:
        um = px * spacing
    return px, um


def _boxes(
    corner: Float64[np.ndarray, "N 2"] | None, side: float | None, n: int
) -> Int64[np.ndarray, "n 4"]:
    boxes = np.zeros((n, 4), np.int64)
    if corner is not None:
        boxes[:, :2] = np.rint(corner)
        boxes[:, 2:] = round(side or 0)
    return boxes


def _centres(
    corner: Float64[np.ndarray, "N 2"] | None, side: float | None, n: int
) -> Float32[np.ndarray, "n 3"]:
    centres = np.full((n, 3), np.nan, np.float32)
    if corner is not None and side is not None:
        centres[:, :2] = corner + side / 2
        centres[:, 2] = 0
    return centres


def _facts(places: Places, mpp: float | None) -> dict[str, str]:
    facts: dict[str, str] = {}
    if places.size_px is not None:
        facts |= {"width_px": str(places.size_px[0]), "height_px": str(places.size_px[1])}
    if mpp is not None:
        facts |= {"spacing_um": repr(float(mpp)), "spacing_rung": "manifest"}
    elif places.spacing_um is not None:
        facts |= {"spacing_um": repr(places.spacing_um), "spacing_rung": places.rung}
    return facts
