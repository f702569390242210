"""Where the model looked: the weights of tiles as colours over the slide."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Int64, UInt8

from wholecase.core.errors import RunError
from wholecase.core.lookup import look_up
from wholecase.explain.colours import RED_BLUE, VIRIDIS, colours
from wholecase.explain.evidence import Evidence
from wholecase.explain.legend import PAPER, legend
from wholecase.explain.tile_map import strips

AUTO, TIMES, EVIDENCE = "auto", "times", "evidence"
MOST_TIMES = 16
"""Attention of so many times the average, or more, has the last colour."""
UNREAD = "grey: not read"
"""Glass, and the tiles that a sample left out."""
MOST_EVIDENCE = 100
"""Log odds of so much, for a case of nothing but such instances, have the last colour."""


class Heat(NamedTuple):
    """Weights as heat 0 to 1, and what the two ends are called."""

    values: Float[np.ndarray, " N"]
    low: str
    high: str
    palette: str = VIRIDIS


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


def by_times(times: Float[np.ndarray, " N"]) -> Heat:
    """Of attention as a multiple of the average: from a 16th to 16 times, alike for all cases.

    >>> by_times(np.array([0.0, 0.25, 1.0, 4.0, 99.0])).values.tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    logs = np.log2(np.maximum(times.astype(np.float64), 1 / MOST_TIMES)) / np.log2(MOST_TIMES)
    values = np.clip((logs + 1) / 2, 0.0, 1.0)
    return Heat(values, f"attention: average / {MOST_TIMES}", f"average x {MOST_TIMES}")


def by_evidence(said: Float[np.ndarray, " N"]) -> Heat:
    """Of log odds: 0.5 says nothing, 1 speaks for the positive class, 0 against; alike everywhere.

    >>> by_evidence(np.array([-1000.0, 0.0, 100.0])).values.tolist()
    [0.0, 0.5, 1.0]
    """
    share = np.log1p(np.abs(said.astype(np.float64))) / np.log1p(MOST_EVIDENCE)
    values = np.clip(0.5 + 0.5 * np.sign(said) * share, 0.0, 1.0)
    return Heat(values, "evidence: against", "for the positive class", RED_BLUE)


def shown(evidence: Evidence, scale: str = AUTO) -> tuple[Float[np.ndarray, " N"], str]:
    """What to paint of each instance, and the scale: a key of `SCALES`.

    A scale that is the same for all cases shows a case without findings as one. `auto` is what the
    instances say, where the head decides by one logit, else their attention against the average.
    Both are multiplied by the number of instances: what the case would get, were all like this one.

    Raises:
        RunError: `evidence` is asked for, and the head says nothing of single instances.
    """
    is_one_logit = evidence.logits.shape[1] == 1
    scale = (EVIDENCE if is_one_logit else TIMES) if scale == AUTO else scale
    if scale == EVIDENCE and not is_one_logit:
        raise RunError(
            "this model says nothing of single regions for one positive class; use --scale times"
        )
    weights = evidence.logits[:, 0] if scale == EVIDENCE else evidence.weights.mean(1)
    values = weights.astype(np.float64)
    return (values * evidence.case_instances if scale in {EVIDENCE, TIMES} else values), scale


SCALES: dict[str, Callable[[Float[np.ndarray, " N"]], Heat]] = {
    "rank": by_rank,
    "absolute": by_size,
    TIMES: by_times,
    EVIDENCE: by_evidence,
}


class Numbers(NamedTuple):
    """What the colours of a scale say in numbers; alike for all cases."""

    says: str
    ticks: tuple[tuple[float, str], ...]
    """Place on the scale, 0 to 1, and what it is called."""
    colours: tuple[str, ...]
    """At even steps from 0 to 1, as CSS takes them."""


def numbers(scale: str) -> Numbers:
    """The numbers of `times` or `evidence`; the other scales are each picture's own.

    >>> [text for _, text in numbers("times").ticks]
    ['1/16', '1/4', '1', '4', '16']
    """
    values: tuple[float, ...]
    if scale == TIMES:
        says, values = "Attention, as times the average", (1 / MOST_TIMES, 0.25, 1, 4, MOST_TIMES)
        texts = [f"1/{round(1 / v)}" if v < 1 else f"{v:g}" for v in values]
    else:
        says = "Log odds for the positive class, were all of the case like this place"
        values = (-MOST_EVIDENCE, -10, -1, 0, 1, 10, MOST_EVIDENCE)
        texts = [f"{v:+g}".replace("-", "\u2212") if v else "0" for v in values]
    heat = SCALES[scale](np.array(values, dtype=np.float64))
    places = [round(float(place), 4) for place in heat.values]
    return Numbers(
        says,
        tuple(zip(places, texts, strict=True)),
        tuple(f"#{colour}" for colour in heat.palette.split()),
    )


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
    """The thumbnail in grey, its tiles coloured by weight or by what they say, a legend below.

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
    height, width = thumbnail.shape[:2]
    pixel_um = spacing_um * downsample if spacing_um else None
    below = legend(width, heat.low, f"{heat.high}; {UNREAD}", pixel_um, heat.palette)
    # all of the result at once: a second copy of a large picture would double the memory
    result = np.empty((height + len(below), below.shape[1], 3), np.uint8)
    result[:height, width:] = PAPER
    result[height:] = below
    for strip in strips(box_px, heat.values, downsample, (height, width)):
        rows = slice(strip.start, strip.stop)
        _blend(thumbnail[rows], strip.values, opacity, result[rows, :width], heat.palette)
    return result


def _blend(
    picture: UInt8[np.ndarray, "h W 3"],
    heat: Float[np.ndarray, "g W"],
    opacity: float,
    result: UInt8[np.ndarray, "h W 3"],
    palette: str,
) -> None:
    """Write the picture in grey, under colours where there is heat; g is h, or 1 for all rows.

    Grey is luma (ITU-R BT.601): colour then means attention and nothing else.
    """
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tiled = np.isfinite(heat)[..., None]
    if not tiled.any():
        result[:] = grey
        return
    # fixed point, of 256: what is left of the grey, and what the colour adds
    share = round(256 * opacity)
    painted = colours(np.nan_to_num(heat), palette).astype(np.uint16)
    added = np.where(tiled, painted * share, 0).astype(np.uint16) + 128
    kept = np.where(tiled, 256 - share, 256).astype(np.uint16)
    wide = len(picture), -1  # rows of all channels: short inner loops are slow
    mixed = grey.reshape(wide) * np.repeat(kept, 3, axis=2).reshape(len(heat), -1)
    mixed += added.reshape(len(heat), -1)
    result[:] = np.right_shift(mixed, 8, out=mixed).reshape(picture.shape)
