"""Nests, which make a case positive, and look-alikes, which do not: same place, size and colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from wholecase.phantoms.fields import SKETCH, fill, jittered, outline, smooth
from wholecase.phantoms.nuclei import Stamps, pick
from wholecase.phantoms.stains import Planes, Stain, match_colour

MASK_STEP = 16
"""A mask has one pixel for 16 x 16 of the slide."""


@dataclass(frozen=True)
class Pattern:
    """How a lesion's cells lie; all else in it is drawn the same for both patterns."""

    nucleus: str
    spacing_um: float
    jitter: float


NEST = Pattern("atypical", 14.5, 0.13)
"""Large pale nuclei with nucleoli, shoulder to shoulder."""
METASTASIS = Pattern("metastatic", 14.0, 0.16)
"""Large dark nuclei of uneven size and shape, which tell at 1 µm/px too."""
LOOKALIKE = Pattern("lymphocyte", 9.0, 0.20)
"""Small round dark nuclei without order, as in inflammation."""


@dataclass(frozen=True)
class Lesion:
    """One lesion: its outline in slide pixels and what it is."""

    line: Float64[np.ndarray, "P 2"]
    pattern: Pattern

    @property
    def is_nest(self) -> bool:
        """Whether it makes the case positive."""
        return self.pattern != LOOKALIKE


def place_lesions(
    rng: np.random.Generator,
    tissue: Float32[np.ndarray, "h w"],
    scale: float,
    *,
    nests: int,
    nest: Pattern = NEST,
) -> list[Lesion]:
    """Six to nine lesions apart from each other, within the tissue; `nests` of them are nests.

    At least one stays a look-alike, so that these tell nothing by being there.

    Where they lie and how large they are is drawn before it is drawn which of them are nests,
    so that neither tells the class.
    """
    free = (tissue > 0.5).astype(np.uint8)
    lines = []
    for _ in range(int(rng.integers(6, 10))):
        radius = rng.uniform(150, 330) * scale
        line = _place(rng, free, radius)
        if line is not None:
            lines.append(line)
            fill(free, line / SKETCH, 0)
    ranks = rng.permutation(len(lines)).tolist()
    nests = min(nests, max(1, len(lines) - 1))
    return [
        Lesion(line, nest if rank < nests else LOOKALIKE)
        for line, rank in zip(lines, ranks, strict=True)
    ]


def _place(
    rng: np.random.Generator, free: UInt8[np.ndarray, "h w"], radius: float
) -> Float64[np.ndarray, "P 2"] | None:
    room = cv2.distanceTransform(free, cv2.DIST_L2, 3) * SKETCH
    for wanted in (1.1 * radius, 0.8 * radius, 0.6 * radius):
        rows, columns = np.nonzero(room > wanted)
        if len(rows):
            i = int(rng.integers(len(rows)))
            reach = min(radius, 0.95 * wanted)
            centre = (columns[i] * SKETCH + SKETCH / 2, rows[i] * SKETCH + SKETCH / 2)
            return outline(rng, centre, (reach, reach * rng.uniform(0.75, 1.0)), 0.22)
    return None


def draw_lesion(
    rng: np.random.Generator,
    planes: Planes,
    lesion: Lesion,
    stamps: dict[str, Stamps],
    film: "Film",
) -> None:
    """Paint one lesion over what was there."""
    shape = planes.eosin.shape
    low = np.maximum(np.floor(lesion.line.min(0)).astype(int) - 30, 0)
    high = np.minimum(np.ceil(lesion.line.max(0)).astype(int) + 30, [shape[1], shape[0]])
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    inside = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    fill(inside, lesion.line - low, 255)
    own = _cells(rng, lesion.pattern, stamps, Place(inside.shape, film.scale, film.fibres[window]))
    match_colour(own, inside, film.stain, film.amounts)
    soft = cv2.blur(inside, (round(24 * film.scale),) * 2)
    frayed = cv2.addWeighted(soft, 0.75, film.fibres[window], 0.25, 0)
    _, frayed = cv2.threshold(frayed, 128, 255, cv2.THRESH_BINARY)
    cv2.copyTo(own.haematoxylin, frayed, planes.haematoxylin[window])
    cv2.copyTo(own.eosin, frayed, planes.eosin[window])


@dataclass(frozen=True)
class Film:
    """What all lesions of a slide share."""

    stain: Stain
    amounts: tuple[float, float]
    """Mean haematoxylin and eosin that each lesion is brought to."""
    scale: float
    fibres: UInt8[np.ndarray, "H W"]


@dataclass(frozen=True)
class Place:
    """The place that a lesion is drawn in."""

    shape: tuple[int, int]
    scale: float
    fibres: UInt8[np.ndarray, "H W"]


def _cells(
    rng: np.random.Generator, pattern: Pattern, stamps: dict[str, Stamps], place: Place
) -> Planes:
    """Islands of cells between ribbons of stroma; only the cells differ between patterns."""
    scale, shape = place.scale, place.shape
    ridge = np.abs(smooth(rng, shape, 95 * scale) + 0.3 * smooth(rng, shape, 30 * scale))
    ribbon = ridge < 0.10
    cell = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 2.5 * scale)
    cloud = 7 * cell / cell.std()
    h = np.where(ribbon, 14, 46 + cloud)
    e = np.where(ribbon, 70 + 0.35 * place.fibres, 84 + cloud)
    planes = Planes(h.astype(np.uint8), e.astype(np.uint8))
    spacing = pattern.spacing_um * 2 * scale
    points = jittered(rng, shape, spacing, pattern.jitter)
    rows = np.clip(points[:, 1], 0, shape[0] - 1).astype(int)
    columns = np.clip(points[:, 0], 0, shape[1] - 1).astype(int)
    points = points[ridge[rows, columns] > 0.13]
    stamps[pattern.nucleus].press(planes.haematoxylin, points, pick(rng, len(points)))
    return planes


def mask_of(
    lesions: list[Lesion], shape: tuple[int, int], tissue: UInt8[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "h w"]:
    """255 where a nest lies, at one pixel in `MASK_STEP`, over the whole slide."""
    size = (-(-shape[1] // MASK_STEP), -(-shape[0] // MASK_STEP))
    mask = np.zeros((size[1], size[0]), np.uint8)
    for lesion in lesions:
        if lesion.is_nest:
            fill(mask, (lesion.line - MASK_STEP / 2) / MASK_STEP, 255)
    kept = cv2.resize(tissue, size, interpolation=cv2.INTER_AREA)
    return np.where((mask > 127) & (kept > 0), 255, 0).astype(np.uint8)
