"""Where tissue lies on the glass and of which sort it is, before any cell is drawn."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from wholecase.phantoms.fields import fill, jittered, outline, smooth


@dataclass(frozen=True)
class Ground:
    """Fields from 0 to 1 on the sketch; the edge of each thing runs where its field is 0.5."""

    tissue: Float32[np.ndarray, "h w"]
    cellular: Float32[np.ndarray, "h w"]
    fat: Float32[np.ndarray, "h w"]


def draw_ground(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Ground:
    """Pieces of tissue and their sorts on a sketch of this shape."""
    pieces = np.zeros(shape, np.uint8)
    layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]
    for centre, radii, wobble in layout(rng, shape):
        fill(pieces, _fitted(outline(rng, centre, radii, wobble), shape), 255)
    soft = cv2.GaussianBlur(pieces, (0, 0), 5 * scale).astype(np.float32) / 255
    ragged = 0.10 * smooth(rng, shape, 14 * scale) + 0.06 * smooth(rng, shape, 5 * scale)
    tissue = np.clip(soft + ragged * (4 * soft * (1 - soft)), 0, 1)
    sort = smooth(rng, shape, 75 * scale) + 0.5 * smooth(rng, shape, 25 * scale)
    other = smooth(rng, shape, 90 * scale) + 0.35 * smooth(rng, shape, 20 * scale)
    return Ground(
        tissue=tissue,
        cellular=np.clip(0.5 + (sort - rng.uniform(-0.2, 0.5)) * 0.6, 0, 1),
        fat=np.clip(0.5 + (other - rng.uniform(1.1, 1.9)) * 0.6, 0, 1),
    )


def _fitted(line: Float64[np.ndarray, "P 2"], shape: tuple[int, int]) -> Float64[np.ndarray, "P 2"]:
    """The outline moved and shrunk until glass is left on all sides."""
    size = np.array([shape[1], shape[0]])
    low, high = line.min(0), line.max(0)
    shrink = min(1.0, float((0.92 * size / (high - low)).min()))
    line = (line - (low + high) / 2) * shrink
    middle = np.clip((low + high) / 2, 0.04 * size - line.min(0), 0.96 * size - line.max(0))
    return np.asarray(line + middle)


Piece = tuple[tuple[float, float], tuple[float, float], float]


def _excision(rng: np.random.Generator, shape: tuple[int, int]) -> list[Piece]:
    """One large piece."""
    h, w = shape
    radii = (w * rng.uniform(0.34, 0.39), h * rng.uniform(0.33, 0.38))
    return [((w / 2, h / 2), (min(radii), min(max(radii), h * 0.44)), 0.30)]


def _pieces(rng: np.random.Generator, shape: tuple[int, int]) -> list[Piece]:
    """Two or three pieces side by side."""
    h, w = shape
    count = int(rng.integers(2, 4))
    wide = w / count
    found: list[Piece] = []
    for i in range(count):
        centre = (wide * (i + 0.5), h * rng.uniform(0.46, 0.54))
        reach = min(wide * 0.48, h * 0.42)
        found.append((centre, (reach, reach * rng.uniform(0.75, 0.95)), 0.28))
    return found


LAYOUTS = (_excision, _pieces)


def holes_of_fat(
    rng: np.random.Generator, ground: Ground, shape: tuple[int, int], scale: float
) -> UInt8[np.ndarray, "H W"]:
    """255 inside fat cells, which are emptied by the solvents: many-sided, with thin walls."""
    if ground.fat.max() <= 0.5:
        return np.zeros(shape, np.uint8)
    # at half size; a fat cell is some 50 µm wide
    half = (-(-shape[0] // 2), -(-shape[1] // 2))
    field = cv2.resize(ground.fat, (half[1], half[0]))
    walls = _walls(rng, half, 46 * scale)
    room = cv2.distanceTransform(walls, cv2.DIST_L2, 3)
    cells = ((room > 1.3 * scale) & (field > 0.5)).astype(np.uint8) * 255
    # an opening rounds the corners and leaves the walls
    rounding = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(6 * scale) + 1,) * 2)
    rounded = cv2.GaussianBlur(cv2.morphologyEx(cells, cv2.MORPH_OPEN, rounding), (0, 0), 1.0)
    full = cv2.resize(rounded, (shape[1], shape[0]))
    return np.ascontiguousarray(cv2.threshold(full, 127, 255, cv2.THRESH_BINARY)[1])


def _walls(
    rng: np.random.Generator, shape: tuple[int, int], spacing: float
) -> UInt8[np.ndarray, "H W"]:
    """0 on the walls between cells around jittered seeds, 255 elsewhere."""
    seeds = np.full(shape, 255, np.uint8)
    points = np.rint(jittered(rng, shape, spacing, 0.17)).astype(int)
    within = np.all((points >= 0) & (points < [shape[1], shape[0]]), axis=1)
    seeds[points[within, 1], points[within, 0]] = 0
    _, owner = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 3)
    walls = np.full(shape, 255, np.uint8)
    walls[:, 1:][owner[:, 1:] != owner[:, :-1]] = 0
    walls[1:][owner[1:] != owner[:-1]] = 0
    return walls
