"""Whether the weights point at what a person has outlined."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int64
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular
from wholecase.evaluation import auroc
from wholecase.instances import covered_share
from wholecase.sources import refuse_damaged_png

LEAST_COVER = 0.25
"""A tile counts as annotated from this share on."""
MOST_DISTORTION = 0.02
"""How much the sides of mask and image may differ in proportion: rounding, not another crop."""


def mask_share(
    mask_path: Path, size_px: tuple[int, int], box_px: Int64[np.ndarray, "N 4"]
) -> Float[np.ndarray, " N"]:
    """Share of each box that is white in an annotation over the whole image, exact to the pixel.

    `size_px` is the image's width and height and `box_px` x, y, width, height, in level-0 pixels;
    the mask may be smaller. What lies outside the image is not white.

    Raises:
        SourceError: the mask cannot be read, has other proportions than the image, or holds
            something but nothing white.
    """
    share = covered_share(white_of(mask_path, size_px), size_px, box_px)
    # differences of large sums: the last digits are noise, and "not at all" must be 0
    return np.clip(np.where(share < 1e-7, 0.0, share), 0.0, 1.0)


def white_of(mask_path: Path, size_px: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """What is white in an annotation over a whole image of that width and height.

    Raises:
        SourceError: as `mask_share`.
    """
    white = _white(mask_path)
    height, width = white.shape
    if abs(width * size_px[1] / (height * size_px[0]) - 1) > MOST_DISTORTION:
        raise SourceError(
            f"{mask_path}: the mask is {width} x {height} and the image {size_px[0]} x "
            f"{size_px[1]} pixels; a mask must cover the whole image, in the same proportions"
        )
    return white


def localisation_auc(
    weights: Float[np.ndarray, " N"],
    share: Float[np.ndarray, " N"],
    *,
    least: float = LEAST_COVER,
) -> float | None:
    """AUROC of the weight for telling annotated tiles (share >= least) from untouched ones.

    Tiles that are touched but covered less are left out. None where either side is empty.
    """
    annotated = share >= least
    judged = annotated | (share == 0)
    area = auroc(annotated[judged], weights[judged])
    return None if np.isnan(area) else area


def _white(path: Path) -> Bool[np.ndarray, "H W"]:
    refuse_irregular(path, SourceError)
    try:
        refuse_damaged_png(path)
        with Image.open(path) as image:
            levels = np.asarray(image.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceError(
            f"{path}: the mask cannot be read ({error}); give a PNG of moderate size"
        ) from error
    if levels.any() and levels.max() < 128:
        raise SourceError(
            f"{path}: the mask has no white, its brightest value is {levels.max()}; "
            "save findings as 255 and the rest as 0"
        )
    return levels >= 128
