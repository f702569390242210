"""Stored samples of any depth as 8-bit RGB on white; what is black and white is never guessed."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8

from wholecase.core.errors import SourceError

Window = tuple[int, int]
"""The stored samples that are shown black and white."""
LEAST_LEVELS = 64
"""So many of an image's grey levels survive at least where its 16 bits become 8."""


def to_rgb(
    samples: Shaped[np.ndarray, "H W S"],
    bits: int = 8,
    *,
    inverted: bool = False,
    window: Window | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Unsigned grey, RGB or RGBA samples as RGB; the high 8 of `bits` are kept.

    RGB of 8 bits comes back as it is, not copied.

    Args:
        samples: 1 sample per pixel is grey, 3 are RGB; a second or fourth is its opacity.
        bits: how many of each sample's bits are in use, from the lowest.
        inverted: 0 is white.
        window: these instead are black and white.

    >>> to_rgb(np.array([[[4095], [0]]], np.uint16), 12).tolist()
    [[[255, 255, 255], [0, 0, 0]]]
    >>> to_rgb(np.array([[[4095], [40], [5000]]], np.uint16), 16, window=(50, 4095)).tolist()
    [[[255, 255, 255], [0, 0, 0], [255, 255, 255]]]
    """
    if samples.dtype == np.uint8 and bits <= 8 and window is None:
        eight = samples
    else:
        eight = np.minimum(samples >> max(bits - 8, 0), 255).astype(np.uint8)
    colours = 1 if samples.shape[2] < 3 else 3
    if window is not None:
        eight[..., :colours] = _windowed(samples[..., :colours], window)
    if inverted:
        eight = 255 - eight
    if colours == 1:
        eight = np.concatenate([np.repeat(eight[..., :1], 3, axis=2), eight[..., 1:]], axis=2)
    return on_white(np.ascontiguousarray(eight)) if eight.shape[2] == 4 else eight


def _windowed(samples: Shaped[np.ndarray, "H W S"], window: Window) -> UInt8[np.ndarray, "H W S"]:
    low, high = window
    share = (np.clip(samples, low, high).astype(np.float32) - low) / (high - low)
    shown: UInt8[np.ndarray, "H W S"] = np.rint(share * 255).astype(np.uint8)
    return shown


def on_white(rgba: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
    """What is seen of a picture that lies on white paper."""
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
    # four bytes of a pixel as one number: all bits of the last one are set where all are opaque
    together: np.uint32 = np.bitwise_and.reduce(rgba.view(np.uint32), axis=None)
    if together.tobytes()[3] == 255:
        return rgb
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def refuse_window(path: Path, window: Window | None) -> None:
    """Refuse a window over samples whose black and white are known.

    Raises:
        SourceError: there is one.
    """
    if window is not None:
        raise SourceError(
            f"{path}: its samples have 8 bits, and a window is for those of more; leave the "
            f"manifest's column window empty"
        )


def refuse_unknown_range(path: Path, samples: Shaped[np.ndarray, "..."], bits: int | None) -> None:
    """Refuse samples of 16 bits of which the high 8 do not keep what there is to see.

    Where the file tells how many bits are in use, none may be beyond. Where nothing does, all 16
    are if the highest is, and if the high byte keeps half of the levels that there are, or enough
    of them: a mark in white over an image of 12 bits makes it none of 16.

    Raises:
        SourceError: black and white are unknown.
    """
    used = int(samples.max()).bit_length()
    levels = np.unique(samples)
    kept = len(np.unique(levels >> 8))
    whole = used == 0 or (used == 16 and kept >= min(len(levels) / 2, LEAST_LEVELS))
    if whole if bits is None else used <= bits:
        return
    raise SourceError(
        f"{path}: samples of 16 bits that reach from {levels[0]} to {levels[-1]}, of which 8 bits "
        f"would keep {kept} of {len(levels)} levels; say what is black and white in the "
        f"manifest's column window, such as 0-4095 for 12 bits"
    )
