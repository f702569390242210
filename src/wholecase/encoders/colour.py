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
        pyramid.append(_halved(pyramid[-1]))
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


def _halved(field: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "h w"]:
    """Half the size; unlike `cv2.pyrDown` centred, so that a turned tile gives the turned half."""
    size = ((field.shape[1] + 1) // 2, (field.shape[0] + 1) // 2)
    return cv2.resize(cv2.GaussianBlur(field, (3, 3), 0.8), size, interpolation=cv2.INTER_AREA)


def _levels(*stains: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, " 12"]:
    """Mean, deviation, deciles of both stains; what neither explains; bare glass; co-variation."""
    found: list[float] = []
    for stain in stains[:2]:
        mean, deviation = cv2.meanStdDev(stain)
        low, high = np.percentile(stain, (10, 90))
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
        band = fine - cv2.resize(coarse, fine.shape[::-1], interpolation=cv2.INTER_LINEAR)
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
        lengths.append(cv2.mean(_length(x, y))[0])
    return np.log(np.array(lengths) + 1e-2).astype(np.float32)


def _coherence(fields: list[Float32[np.ndarray, "_ _"]]) -> Float32[np.ndarray, " 2"]:
    """How far the gradients of a neighbourhood share one direction: 0 not at all, 1 wholly."""
    found = []
    for field in fields:
        x, y = cv2.Sobel(field, cv2.CV_32F, 1, 0), cv2.Sobel(field, cv2.CV_32F, 0, 1)
        xx, yy, xy = (cv2.blur(product, (17, 17)) for product in (x * x, y * y, x * y))
        spread = _length(xx - yy, 2 * xy)
        found.append(cv2.mean(spread)[0] / (cv2.mean(xx + yy)[0] + 1e-4))
    return np.array(found, "f4")


def _length(
    x: Float32[np.ndarray, "H W"], y: Float32[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    # not `cv2.magnitude`: its last bit depends on where in memory the fields lie
    length: Float32[np.ndarray, "H W"] = np.sqrt(x * x + y * y)
    return length


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
        across = np.arange(-radius, radius + 1) ** 2
        disc = (across[:, None] + across <= radius * (radius + 1)).astype(np.uint8)
        opened = cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc)
        left.append(cv2.countNonZero(opened) / dark.size / share)
    return left


COLOUR_WIDTH = 12 + 8 + 3 + 2 + len(_LAGS) + 2 * 9 + _BLOB_FEATURES

# Mean and deviation between the 1st and 99th percentile, measured once over equal parts of drawn
# tissue (`phantoms`) and real H&E: lung tiles of LC25000 and tissue of many organs from MoNuSeg.
_CENTRE = np.array(
    [
        0.305, 0.194, 0.13, 0.581, 0.136, 0.0772, 0.0562, 0.214, 0.0517, 0.49, 0.0786,
        0.302, -3.13, -2.78, -2.54, -2.56, -2.41, 1.15, 1.28, 1.49, -1.03, -0.744, -0.552,
        0.333, 0.269, 0.669, 0.341, 0.128, 0.0942, 0.382, 0.308, 0.321, 0.418, 0.412, 0.246,
        0.187, 0.168, 0.108, 0.352, 0.297, 0.326, 0.443, 0.379, 0.241, 0.195, 0.18, 0.113,
        0.415, 0.152, 0.076, 0.223, 3.67, 3.44, 0.881, 5.48, 0.447, 1.58, 1.53, 0.839,
        0.579, 0.257, 0.0663, 0.022, 0.0139,
    ],
    np.float32,
)  # fmt: skip
_SPREAD = np.array(
    [
        0.108, 0.0625, 0.0663, 0.212, 0.0465, 0.0503, 0.0625, 0.0678, 0.0628, 0.247, 0.112,
        0.0876, 0.368, 0.331, 0.329, 0.308, 0.377, 1.05, 0.76, 0.782, 0.447, 0.433, 0.423,
        0.141, 0.129, 0.0965, 0.143, 0.127, 0.115, 0.128, 0.0372, 0.0248, 0.0404, 0.0482,
        0.0435, 0.0434, 0.0437, 0.0364, 0.122, 0.0387, 0.0236, 0.0453, 0.0424, 0.0492,
        0.0504, 0.0495, 0.0414, 0.112, 0.0413, 0.0288, 0.111, 0.536, 0.42, 0.238, 0.954,
        0.226, 0.348, 0.515, 0.12, 0.235, 0.221, 0.141, 0.101, 0.0827,
    ],
    np.float32,
)  # fmt: skip
