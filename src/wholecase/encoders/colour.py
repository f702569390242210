"""Stain and texture statistics of a tile: what encodes without weights.

Fixed colour deconvolution (Ruifrok & Johnston 2001) gives haematoxylin and eosin; of them the
statistics are levels, band energies of a Laplacian pyramid (Burt & Adelson 1983), structure-tensor
coherence, autocorrelation, rotation-invariant local binary patterns (Ojala 2002), and the sizes of
dark blobs by granulometry (Matheron 1975). The scales suit tiles at about 0.5 µm/px.
"""

import itertools

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

LEAST_PX = 32
CLIP = 5.0

_STAINS = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105]])
_MIXING = np.vstack([_STAINS, np.cross(*_STAINS)])
_UNMIX = np.linalg.inv(_MIXING / np.linalg.norm(_MIXING, axis=1, keepdims=True)).T.astype(
    np.float32
)
_DENSITY = -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)
_LAGS = (2, 4, 8, 12)
_DISCS = (1, 2, 3, 4, 6, 8)
_NUCLEAR_STEP = 1 / 200
"""Haematoxylin in steps of this is thresholded."""
_BLOB_FEATURES = 11 + len(_DISCS)


def encode_colour(pixels: UInt8[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N D"]:
    """Each tile's `COLOUR_WIDTH` statistics, near mean 0 and deviation 1 over H&E tissue.

    Always finite, within -5 to 5, and the same whatever tiles come along.

    >>> encode_colour(np.full((2, 64, 64, 3), 255, np.uint8)).shape == (2, COLOUR_WIDTH)
    True

    Raises:
        ValueError: tiles smaller than 32 px.
    """
    if min(pixels.shape[1:3]) < LEAST_PX:
        raise ValueError(f"tiles of {pixels.shape[1:3]} px are too small; {LEAST_PX} px at least")
    raw = np.empty((len(pixels), COLOUR_WIDTH), np.float32)
    for i, tile in enumerate(pixels):
        raw[i] = _statistics(tile)
    encoded: Float32[np.ndarray, "N D"] = np.clip((raw - _CENTRE) / _SPREAD, -CLIP, CLIP)
    return encoded


def _statistics(tile: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, " D"]:
    tile = np.ascontiguousarray(tile)
    half = cv2.resize(tile, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    # only the fine texture of haematoxylin needs all pixels
    pyramid = [cv2.transform(cv2.LUT(tile, _DENSITY), _UNMIX[:1])]
    for _ in range(4):
        pyramid.append(cv2.pyrDown(pyramid[-1]))
    groups = (
        _levels(*cv2.split(cv2.transform(cv2.LUT(half, _DENSITY), _UNMIX))),
        _bands(pyramid),
        _steepness(pyramid[:3]),
        _coherence(pyramid[1:3]),
        _autocorrelation(pyramid[1]),
        _binary_patterns(pyramid[1]),
        _binary_patterns(pyramid[2]),
        _blobs(pyramid[1]),
    )
    return np.concatenate(groups).astype(np.float32)


def _levels(*stains: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, " 12"]:
    """Mean, deviation, deciles of both stains; what neither explains; bare glass; co-variation."""
    found: list[float] = []
    for stain in stains[:2]:
        mean, deviation = cv2.meanStdDev(stain)
        low, high = np.percentile(stain[::2, ::2], (10, 90))
        found += [mean.item(), deviation.item(), low, high]
    h, e = stains[0] - found[0], stains[1] - found[4]
    together = float((h * e).mean()) / (found[1] * found[5] + 1e-4)
    bare = float(((stains[0] + stains[1]) < 0.12).mean())
    eosin_share = found[4] / (abs(found[0]) + abs(found[4]) + 0.02)
    return np.array([*found, cv2.mean(stains[2])[0], together, bare, eosin_share], "f4")


def _bands(pyramid: list[Float32[np.ndarray, "_ _"]]) -> Float32[np.ndarray, " 8"]:
    """Energy between scales, and how lopsided the three finest bands are."""
    energy, skewness = [], []
    for fine, coarse in itertools.pairwise(pyramid):
        band = fine - cv2.pyrUp(coarse, dstsize=fine.shape[::-1])
        deviation = float(band.std())
        energy.append(np.log(deviation + 3e-3))
        centred = band - band.mean()
        skewness.append(float((centred * centred * centred).mean()) / (deviation + 3e-3) ** 3)
    energy.append(np.log(float(pyramid[-1].std()) + 3e-3))
    return np.array(energy + skewness[:3], "f4")


def _steepness(fields: list[Float32[np.ndarray, "_ _"]]) -> Float32[np.ndarray, " 3"]:
    """Mean length of the gradient at each scale."""
    lengths = []
    for field in fields:
        x, y = cv2.Sobel(field, cv2.CV_32F, 1, 0), cv2.Sobel(field, cv2.CV_32F, 0, 1)
        lengths.append(cv2.mean(cv2.magnitude(x, y))[0])
    return np.log(np.array(lengths) + 1e-2).astype(np.float32)


def _coherence(fields: list[Float32[np.ndarray, "_ _"]]) -> Float32[np.ndarray, " 2"]:
    """How far the gradients of a neighbourhood share one direction: 0 not at all, 1 wholly."""
    found = []
    for field in fields:
        x, y = cv2.Sobel(field, cv2.CV_32F, 1, 0), cv2.Sobel(field, cv2.CV_32F, 0, 1)
        xx, yy, xy = (cv2.blur(product, (17, 17)) for product in (x * x, y * y, x * y))
        spread = cv2.magnitude(xx - yy, 2 * xy)
        found.append(cv2.mean(spread)[0] / (cv2.mean(xx + yy)[0] + 1e-4))
    return np.array(found, "f4")


def _autocorrelation(field: Float32[np.ndarray, "_ _"]) -> Float32[np.ndarray, " 4"]:
    """Likeness to itself, moved by each lag across and down."""
    centred = field - field.mean()
    power = float((centred * centred).mean()) + 1e-5
    moved = [
        ((centred[lag:] * centred[:-lag]).mean() + (centred[:, lag:] * centred[:, :-lag]).mean())
        for lag in _LAGS
    ]
    return np.array(moved, "f4") / (2 * power)


def _uniform_codes() -> UInt8[np.ndarray, " 256"]:
    """Ojala's `riu2`: the number of brighter neighbours if they are in one run, else 9."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    runs = (bits != np.roll(bits, 1, axis=1)).sum(1)
    return np.where(runs <= 2, bits.sum(1), 9).astype(np.uint8)


_CODES = _uniform_codes()
_AROUND = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def _binary_patterns(field: Float32[np.ndarray, "_ _"]) -> Float32[np.ndarray, " 9"]:
    """Shares of nine of the ten uniform patterns; the tenth is what is left."""
    steps = np.clip(field / _NUCLEAR_STEP, 0, 255).astype(np.uint8)
    h, w = steps.shape[0] - 2, steps.shape[1] - 2
    centre = np.minimum(steps[1:-1, 1:-1], 254) + np.uint8(1)  # a flat field is no pattern
    code = np.zeros((h, w), np.uint8)
    for bit, (row, column) in enumerate(_AROUND):
        code |= (steps[row : row + h, column : column + w] > centre).astype(np.uint8) << bit
    counts = np.bincount(_CODES[code].ravel(), minlength=10)[:9]
    return np.sqrt(counts / code.size).astype(np.float32)


def _blobs(field: Float32[np.ndarray, "_ _"]) -> Float32[np.ndarray, " 17"]:
    """Dark blobs: contrast, share, number, sizes, thickness, distance; and what openings leave."""
    steps = np.clip(field / _NUCLEAR_STEP, 0, 255).astype(np.uint8)
    least, _ = cv2.threshold(steps, 0, 255, cv2.THRESH_OTSU)
    _, dark = cv2.threshold(steps, max(least, 24.0), 255, cv2.THRESH_BINARY)
    share = cv2.countNonZero(dark) / dark.size
    if share in {0.0, 1.0}:
        return np.zeros(_BLOB_FEATURES, np.float32)
    inside, outside = cv2.meanStdDev(field, mask=dark), cv2.meanStdDev(field, mask=255 - dark)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    areas = boxes[1:, cv2.CC_STAT_AREA]
    sizes = np.log(areas[areas >= 4]) if (areas >= 4).any() else np.zeros(1)
    depth = cv2.distanceTransform(dark, cv2.DIST_L2, 3)[dark > 0]
    apart = cv2.distanceTransform(255 - dark, cv2.DIST_L2, 3)[dark == 0]
    described = [
        inside[0].item() - outside[0].item(), inside[1].item(), outside[1].item(),
        share, np.log(len(sizes) / dark.size * 1e4 + 0.3), sizes.mean(), sizes.std(), sizes.max(),
        np.log(depth.mean()), np.log(depth.max()), np.log(apart.mean()),
    ]  # fmt: skip
    return np.array(described + _granulometry(dark, share), "f4")


def _granulometry(dark: UInt8[np.ndarray, "_ _"], share: float) -> list[float]:
    left = []
    for radius in _DISCS:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        opened = cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc)
        left.append(cv2.countNonZero(opened) / dark.size / share)
    return left


COLOUR_WIDTH = 12 + 8 + 3 + 2 + len(_LAGS) + 2 * 9 + _BLOB_FEATURES

# Mean and deviation between the 1st and 99th percentile, measured once over equal parts of drawn
# tissue (`phantoms`) and real H&E: lung tiles of LC25000 and tissue of many organs from MoNuSeg.
_CENTRE = np.array(
    [
        0.306, 0.195, 0.13, 0.582, 0.13, 0.0761, 0.0513, 0.207, 0.0501, 0.444, 0.0778,
        0.293, -2.98, -2.71, -2.52, -2.62, -2.48, 1.21, 1.38, 1.49, -1.03, -0.783, -0.617,
        0.335, 0.273, 0.688, 0.358, 0.141, 0.104, 0.386, 0.302, 0.325, 0.435, 0.424, 0.245,
        0.179, 0.154, 0.0933, 0.352, 0.29, 0.33, 0.465, 0.395, 0.246, 0.19, 0.16, 0.0943,
        0.41, 0.15, 0.0756, 0.224, 3.62, 3.47, 0.895, 5.55, 0.489, 1.63, 1.57, 0.921, 0.621,
        0.306, 0.104, 0.0354, 0.0248,
    ],
    np.float32,
)  # fmt: skip
_SPREAD = np.array(
    [
        0.109, 0.0663, 0.0659, 0.219, 0.0463, 0.0514, 0.0632, 0.0694, 0.0625, 0.285, 0.111,
        0.0911, 0.373, 0.345, 0.342, 0.312, 0.413, 0.986, 0.803, 0.74, 0.461, 0.448, 0.434,
        0.141, 0.127, 0.0943, 0.15, 0.143, 0.13, 0.134, 0.0414, 0.0269, 0.041, 0.0511,
        0.0486, 0.0473, 0.0444, 0.0347, 0.127, 0.041, 0.0254, 0.0435, 0.0438, 0.0561,
        0.0552, 0.0515, 0.0424, 0.115, 0.0416, 0.0293, 0.113, 0.568, 0.412, 0.253, 0.984,
        0.348, 0.42, 0.532, 0.064, 0.212, 0.232, 0.178, 0.142, 0.13,
    ],
    np.float32,
)  # fmt: skip
