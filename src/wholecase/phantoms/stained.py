"""Small pictures of whole slides in any stain, with the mask of what is tissue.

Drawn at the spacing of a thumbnail, where nuclei blur: for masks, not for models.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from wholecase.core.lookup import look_up
from wholecase.core.seeds import generator
from wholecase.phantoms.fields import outline, smooth

Dye = tuple[tuple[float, float, float], float]
"""Decadic optical density of one unit in red, green, blue; mean amount in tissue."""

STAINS: dict[str, tuple[Dye, Dye]] = {
    "h&e": (((0.61, 0.71, 0.34), 0.18), ((0.15, 0.87, 0.42), 0.22)),
    "pale h&e": (((0.61, 0.71, 0.34), 0.030), ((0.15, 0.87, 0.42), 0.045)),
    "dab": (((0.65, 0.70, 0.29), 0.10), ((0.27, 0.57, 0.78), 0.30)),
    "faint dab": (((0.65, 0.66, 0.29), 0.12), ((0.27, 0.57, 0.78), 0.01)),
    "pas": (((0.61, 0.71, 0.34), 0.10), ((0.17, 0.97, 0.30), 0.25)),
    "haematoxylin": (((0.68, 0.60, 0.26), 0.22), ((0.68, 0.60, 0.26), 0.05)),
    "trichrome": (((0.85, 0.68, 0.31), 0.25), ((0.12, 0.80, 0.55), 0.20)),
    "bleached": (((0.36, 0.40, 0.38), 0.08), ((0.30, 0.33, 0.36), 0.06)),
}
"""Dyes of each stain, between the vectors of Ruifrok 2001 and what scanners deliver."""

GLASS = (242, 242, 242)
"""What the scanner makes of empty glass."""


@dataclass(frozen=True)
class Stained:
    """A thumbnail of a drawn slide and the truth about it."""

    pixels: UInt8[np.ndarray, "H W 3"]
    tissue: Bool[np.ndarray, "H W"]
    """Where tissue lies, cavities left out, spoiled places left in."""
    cavities: Bool[np.ndarray, "H W"]
    """Holes in the tissue of 0.05 mm² or more."""
    spoiled: Bool[np.ndarray, "H W"]
    """Where an artefact hides what is below: ink, black border, loss of focus."""
    spacing_um: float


def draw_scanned(side_px: int, spacing_um: float) -> UInt8[np.ndarray, "side side 3"]:
    """Stained tissue with the grain of a scan: it takes as long to decode as a slide does."""
    coarse, size_um = 8, (side_px * spacing_um, side_px * spacing_um)
    small = draw_stained("h&e", 1, size_um=size_um, spacing_um=spacing_um * coarse).pixels
    rng = np.random.default_rng(1)
    mottled = rng.normal(0, 18, (side_px // 4, side_px // 4, 3)).astype(np.float32)
    pixels = cv2.resize(small, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    pixels = pixels + cv2.resize(mottled, (side_px, side_px))
    pixels += rng.normal(0, 3, pixels.shape).astype(np.float32)
    scanned: UInt8[np.ndarray, "side side 3"] = pixels.clip(0, 255).astype(np.uint8)
    return scanned


def draw_stained(
    stain: str,
    seed: int,
    *,
    size_um: tuple[float, float] = (9000.0, 6000.0),
    spacing_um: float = 8.0,
    glass: tuple[int, int, int] = GLASS,
) -> Stained:
    """Two pieces of tissue, one of them partly of fat, on clean glass.

    Raises:
        RecipeError: no stain has that name.
    """
    dyes = look_up(STAINS, stain, "drawn stain")
    rng = generator(seed, "stained", stain)
    shape = round(size_um[1] / spacing_um), round(size_um[0] / spacing_um)
    tissue, cavities = _lie(rng, shape)
    fine, wide = (_texture(rng, shape, um / spacing_um) for um in (20.0, 160.0))
    fat = _fat(rng, shape, spacing_um)
    density = np.zeros((*shape, 3), np.float32)
    for (colour, amount), mix in zip(dyes, (0.7, -0.6), strict=True):
        share = np.clip(1 + 0.35 * fine * np.sign(mix) + mix * 0.5 * wide, 0.15, 2.2)
        density += (amount * share * fat)[..., None] * np.array(colour, np.float32)
    cover = cv2.GaussianBlur((tissue & ~cavities).astype(np.float32), (0, 0), 0.6)
    return Stained(
        pixels=_seen(rng, density * cover[..., None], glass),
        tissue=tissue & ~cavities,
        cavities=cavities,
        spoiled=np.zeros(shape, bool),
        spacing_um=spacing_um,
    )


def _lie(
    rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[Bool[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Two ragged pieces and three cavities inside the larger one."""
    h, w = shape
    pieces, holes = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    large = outline(rng, (0.36 * w, 0.5 * h), (0.24 * w, 0.36 * h), 0.25)
    small = outline(rng, (0.80 * w, 0.45 * h), (0.10 * w, 0.30 * h), 0.20)
    for line in (large, small):
        _paint(pieces, line)
    for dx, dy in ((-0.08, -0.06), (0.09, 0.02), (-0.02, 0.14)):
        _paint(holes, outline(rng, ((0.36 + dx) * w, (0.5 + dy) * h), (0.025 * w, 0.03 * h), 0.1))
    ragged = 40 * _texture(rng, shape, 12.0) + 20 * _texture(rng, shape, 4.0)
    soft = cv2.GaussianBlur(pieces, (0, 0), 4).astype(np.float32)
    tissue = soft + ragged * (soft > 20) * (soft < 235) > 127
    cavities = (holes > 127) & (cv2.erode(pieces, np.ones((9, 9), np.uint8)) > 0)
    return _solid(tissue | cavities), cavities


def _solid(tissue: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pieces without crumbs around them or pores inside."""
    lines, _ = cv2.findContours(tissue.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    kept = np.zeros(tissue.shape, np.uint8)
    large = [line for line in lines if cv2.contourArea(line) > 0.005 * tissue.size]
    return np.asarray(cv2.drawContours(kept, large, -1, 1, cv2.FILLED) > 0)


def _paint(mask: UInt8[np.ndarray, "H W"], line: Float64[np.ndarray, "P 2"]) -> None:
    cv2.fillPoly(mask, [np.rint(line).astype(np.int32)], 255)


def _texture(
    rng: np.random.Generator, shape: tuple[int, int], cell: float
) -> Float32[np.ndarray, "H W"]:
    return smooth(rng, shape, max(cell, 1.5))


def _fat(
    rng: np.random.Generator, shape: tuple[int, int], spacing_um: float
) -> Float32[np.ndarray, "H W"]:
    """1 in tissue; where fat lies, only the thin walls between cells of some 60 µm are stained."""
    sort = _texture(rng, shape, 900 / spacing_um)
    walls = np.abs(_texture(rng, shape, 60 / spacing_um)) < 0.35
    lace = cv2.GaussianBlur(walls.astype(np.float32), (0, 0), 0.7) * 0.7
    return np.where(sort > 1.4, lace, 1).astype(np.float32)


def _seen(
    rng: np.random.Generator,
    density: Float32[np.ndarray, "H W 3"],
    glass: tuple[int, int, int],
) -> UInt8[np.ndarray, "H W 3"]:
    """Light behind the section, with the sensor's noise, as the scanner's JPEG keeps it."""
    light = np.array(glass, np.float32) * np.power(np.float32(10), -density)
    noisy = light + rng.normal(0, 1.2, light.shape).astype(np.float32)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(decoded)
