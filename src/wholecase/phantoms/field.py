"""A field of drawn tissue that can be looked at through several objectives."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from wholecase.core.seeds import generator
from wholecase.phantoms.fields import fill, grain, jittered, outline, smooth
from wholecase.phantoms.nuclei import KINDS, Kind, Stamps, draw_stamps, pick
from wholecase.phantoms.stains import Planes, Stain, transmit

WIDE, HIGH = 350, 230
"""Pixels of a picture: half of what BreakHis has along each side."""
EDGE = 32
"""Pixels around a picture that are drawn and cut off, since nuclei at the border are cut."""
FIELD_UM = 56_000.0
"""Width of a field times the power: 1400 µm at 40X, 140 µm at 400X."""
CANVAS_UM = 1.6
"""Spacing at which the tissue is laid out: that of 100X."""
NEST_UM, LUMEN_UM = 68.0, 26.0
"""Radii of nests, and of the lumina in them."""
NESTS_APART_UM = 185.0
AWAY_UM = 190.0
"""Lumina lie so far from the middle at least: no picture from 200X on has one."""
NUCLEI_APART_UM = 11.0
STROMA = 0.2
"""Share of the places of nuclei that are taken in the stroma."""
PLAIN = Kind(9.0, 0.12, 0.78, 0.08, 0.50, 0.06, 0.02, 0)
PROMINENT = Kind(9.0, 0.12, 0.78, 0.08, 0.26, 0.06, 0.26, 2)
RESOLVED = 200
"""The weakest objective that resolves nucleoli; below it nuclei look alike."""
BLUR_PX = {40: 0.9, 100: 0.9}
"""Of the optics: a weak objective resolves less than its camera."""


@dataclass(frozen=True)
class Field:
    """Where the nests, lumina and nuclei of one field lie."""

    nests: UInt8[np.ndarray, "h w"]
    """255 inside, at `CANVAS_UM`."""
    lumina: UInt8[np.ndarray, "h w"]
    strands: Float32[np.ndarray, "h w"]
    """Texture of the stroma, mean 0 and deviation 1."""
    nuclei: Float64[np.ndarray, "P 2"]
    """µm from the left upper corner."""
    nucleoli: bool


def draw_field(rng: np.random.Generator, *, solid: bool, nucleoli: bool) -> Field:
    """Nests of epithelium in stroma; those away from the middle have lumina unless `solid`."""
    um = FIELD_UM / 40
    shape = round(um * HIGH / WIDE / CANVAS_UM), round(um / CANVAS_UM)
    nests, lumina = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    middle = np.array([shape[1], shape[0]]) / 2
    around = jittered(rng, shape, NESTS_APART_UM / CANVAS_UM, 0.10)
    # one nest in the middle, so that the strongest objective has cells to see
    near = np.linalg.norm(around - middle, axis=1) < NESTS_APART_UM / CANVAS_UM * 0.75
    for x, y in [tuple(middle), *map(tuple, around[~near])]:
        radius = NEST_UM / CANVAS_UM * rng.uniform(0.85, 1.15)
        fill(nests, outline(rng, (x, y), (radius, radius * rng.uniform(0.8, 1.0)), 0.15), 255)
        hollow = LUMEN_UM / CANVAS_UM * rng.uniform(0.8, 1.2)
        away = np.hypot(x - middle[0], y - middle[1]) * CANVAS_UM > AWAY_UM
        if away and not solid:
            fill(lumina, outline(rng, (x, y), (hollow, hollow), 0.12), 255)
    strands = smooth(rng, shape, 9.0) + 0.6 * smooth(rng, shape, 3.0)
    places = jittered(rng, shape, NUCLEI_APART_UM / CANVAS_UM, 0.14)
    places = places[rng.random(len(places)) < np.where(_at(nests, places), 1.0, STROMA)]
    places = places[~_at(lumina, places)]
    return Field(nests, lumina, strands, places * CANVAS_UM, nucleoli)


def _at(mask: UInt8[np.ndarray, "h w"], points: Float64[np.ndarray, "P 2"]) -> np.ndarray:
    """Whether the mask is set at points (x, y) in its pixels."""
    rows = np.clip(points[:, 1], 0, mask.shape[0] - 1).astype(int)
    columns = np.clip(points[:, 0], 0, mask.shape[1] - 1).astype(int)
    return np.asarray(mask[rows, columns] > 127)


def look(
    rng: np.random.Generator, field: Field, power: int, stain: Stain
) -> UInt8[np.ndarray, "H W 3"]:
    """The middle of the field through an objective; what is too fine for it is not seen."""
    um_px = FIELD_UM / power / WIDE
    nests, lumina, strands = (
        _seen(layer, um_px) for layer in (field.nests, field.lumina, field.strands)
    )
    open_air = 1 - lumina.astype(np.float32) / 255
    epithelium = nests.astype(np.float32) / 255
    eosin = (70 + 12 * strands) * (1 - epithelium) + 46 * epithelium
    haematoxylin = (4 + 2 * strands) * (1 - epithelium) + 16 * epithelium
    planes = Planes(_steps(haematoxylin * open_air), _steps(eosin * open_air))
    _press(rng, planes, field, (power, um_px))
    blur = BLUR_PX.get(power)
    pixels = np.ascontiguousarray(transmit(planes, stain)[EDGE:-EDGE, EDGE:-EDGE])
    if blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), blur)
    noise = grain(rng, (HIGH, WIDE), 0.7, 3.0).astype(np.int16) - 128
    return _steps(pixels.astype(np.int16) + noise[..., None])


def _seen(layer: np.ndarray, um_px: float) -> np.ndarray:
    """The part of a layer that the picture and its edge show, in their pixels."""
    scale = um_px / CANVAS_UM  # canvas pixels per pixel of the picture
    wide, high = WIDE + 2 * EDGE, HIGH + 2 * EDGE
    top, left = (layer.shape[0] - high * scale) / 2, (layer.shape[1] - wide * scale) / 2
    matrix = np.array([[scale, 0, left], [0, scale, top]])
    if scale > 1:
        layer = cv2.blur(layer, (round(scale), round(scale)))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(layer, matrix, (wide, high), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen)


def _press(
    rng: np.random.Generator, planes: Planes, field: Field, power_um: tuple[int, float]
) -> None:
    power, um_px = power_um
    shown = np.array(planes.haematoxylin.shape[::-1]) * um_px
    corner = (np.array(field.nests.shape[::-1]) * CANVAS_UM - shown) / 2
    inside = _at(field.nests, field.nuclei / CANVAS_UM)
    points = (field.nuclei - corner) / um_px
    plain, prominent, spindle = _stamps(power)
    epithelial = prominent if field.nucleoli and power >= RESOLVED else plain
    for stamps, own in ((epithelial, points[inside]), (spindle, points[~inside])):
        stamps.press(planes.haematoxylin, own, pick(rng, len(own)))


@cache
def _stamps(power: int) -> tuple[Stamps, Stamps, Stamps]:
    """Plain nuclei, nuclei with nucleoli that are as dark on the whole, and spindles."""
    rng = generator(0, "breakhis nuclei", power)
    px_per_um = power * WIDE / FIELD_UM
    plain, prominent, spindle = (
        draw_stamps(rng, kind, px_per_um) for kind in (PLAIN, PROMINENT, KINDS["spindle"])
    )
    level = plain.plates.mean() / prominent.plates.mean()
    return plain, Stamps(_steps(prominent.plates * np.float32(level))), spindle


def _steps(amount: np.ndarray) -> UInt8[np.ndarray, "..."]:
    return np.asarray(np.clip(amount, 0, 255), np.uint8)
