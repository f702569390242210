"""Where the model looked: the weights of tiles as colours over the slide."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64, UInt8

from wholecase.core.errors import RunError
from wholecase.core.lookup import look_up
from wholecase.explain.colours import colours
from wholecase.explain.legend import add_legend
from wholecase.explain.tile_map import tile_map


class Heat(NamedTuple):
    """Weights as heat 0 to 1, and what the two ends are called."""

    values: Float[np.ndarray, " N"]
    low: str
    high: str


def by_rank(weights: Float[np.ndarray, " N"]) -> Heat:
    """Least weight 0, greatest 1, evenly between, equal weights equal; 0.5 where all are equal.

    Shows an order even where one tile took nearly all; says nothing of how much more it took.

    >>> by_rank(np.array([0.1, 0.7, 0.2])).values.tolist()
    [0.0, 1.0, 0.5]
    """
    _, group, count = np.unique(weights, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count + 1) / 2  # mean rank of each distinct weight, from 0
    values = middle[group] / (len(weights) - 1) if len(weights) > 1 else np.array([0.5])
    return Heat(values, "attention: low", "high (rank)")


def by_size(weights: Float[np.ndarray, " N"]) -> Heat:
    """In proportion to the weight: 0 (or the least, if negative) to the greatest weight."""
    low, high = min(0.0, float(weights.min())), float(weights.max())
    span = high - low
    values = (weights.astype(np.float64) - low) / span if span > 0 else np.zeros(len(weights))
    return Heat(values, f"attention: {low:.2g}", f"{high:.2g} (weight)")


SCALES: dict[str, Callable[[Float[np.ndarray, " N"]], Heat]] = {
    "rank": by_rank,
    "absolute": by_size,
}


def paint(  # noqa: PLR0913 (the four that define the picture, and three about its looks)
    thumbnail: UInt8[np.ndarray, "H W 3"],
    downsample: float,
    box_px: Int64[np.ndarray, "N 4"],
    weights: Float[np.ndarray, " N"],
    *,
    scale: str = "rank",
    opacity: float = 0.5,
    spacing_um: float | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """The thumbnail in grey, its tiles coloured by weight, with a legend below.

    One thumbnail pixel is `downsample` level-0 pixels, which are `spacing_um` wide; `box_px` is
    x, y, width, height in level-0 pixels. The picture lies at the top left of the result,
    unchanged in size.

    Raises:
        RunError: there is no tile, or a weight is not finite.
        RecipeError: no scale has that name.
    """
    if not len(weights) or not np.isfinite(weights).all():
        raise RunError(
            f"cannot paint {len(weights)} weights of which {int(np.isfinite(weights).sum())} are "
            "finite; a heatmap needs at least one tile and a finite weight for each"
        )
    heat = look_up(SCALES, scale, "heatmap scale")(weights)
    drawn = tile_map(box_px, heat.values, downsample, thumbnail.shape[:2])
    picture = _blended(_grey(thumbnail), drawn, opacity)
    pixel_um = spacing_um * downsample if spacing_um else None
    return add_legend(picture, heat.low, heat.high, pixel_um)


def _grey(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Luma (ITU-R BT.601): colour then means attention and nothing else."""
    luma = picture @ np.array([0.299, 0.587, 0.114])
    return np.repeat(np.round(luma)[..., None], 3, axis=2).astype(np.uint8)


def _blended(
    picture: UInt8[np.ndarray, "H W 3"], heat: Float[np.ndarray, "H W"], opacity: float
) -> UInt8[np.ndarray, "H W 3"]:
    tiled = np.isfinite(heat)
    mixed = picture.copy()
    over = (1 - opacity) * picture[tiled] + opacity * colours(heat[tiled])
    mixed[tiled] = np.round(over).astype(np.uint8)
    return mixed
