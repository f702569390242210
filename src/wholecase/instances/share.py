"""How much of each box a mask covers."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64


def covered_share(
    mask: Bool[np.ndarray, "H W"], size_px: tuple[int, int], box_px: Int64[np.ndarray, "N 4"]
) -> Float64[np.ndarray, " N"]:
    """Share of each box's area that lies under the mask, exact to fractions of a mask pixel.

    Args:
        mask: spread over the whole image, at any resolution.
        size_px: width and height of the image, in the pixels of the boxes.
        box_px: x, y, width, height; what lies outside the image is not covered.

    >>> mask = np.array([[True, False]])
    >>> covered_share(mask, (100, 50), np.array([[0, 0, 50, 50], [25, 10, 50, 10]]))
    array([1. , 0.5])
    """
    height, width = mask.shape
    sums = cv2.integral(mask.view(np.uint8))  # [H + 1, W + 1] of whole numbers
    box = box_px / np.array([size_px[0], size_px[1]] * 2) * np.array([width, height] * 2)
    left, top = box[:, 0], box[:, 1]
    right, bottom = left + box[:, 2], top + box[:, 3]
    inside = (
        _sum_to(sums, right, bottom)
        - _sum_to(sums, left, bottom)
        - _sum_to(sums, right, top)
        + _sum_to(sums, left, top)
    )
    share: Float64[np.ndarray, " N"] = np.clip(inside / (box[:, 2] * box[:, 3]), 0.0, 1.0)
    return share


def _sum_to(
    sums: Int32[np.ndarray, "h w"], x: Float64[np.ndarray, " N"], y: Float64[np.ndarray, " N"]
) -> Float64[np.ndarray, " N"]:
    # the integral of a constant cell is bilinear in the point up to which it is taken
    x, y = np.clip(x, 0, sums.shape[1] - 1), np.clip(y, 0, sums.shape[0] - 1)
    column = np.clip(x.astype(int), 0, sums.shape[1] - 2)
    row = np.clip(y.astype(int), 0, sums.shape[0] - 2)
    right, down = x - column, y - row
    above = sums[row, column] * (1 - right) + sums[row, column + 1] * right
    below = sums[row + 1, column] * (1 - right) + sums[row + 1, column + 1] * right
    sum_to: Float64[np.ndarray, " N"] = above * (1 - down) + below * down
    return sum_to
