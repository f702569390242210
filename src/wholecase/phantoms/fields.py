"""Smooth chance: noise fields, wavy fibres, irregular outlines, jittered grids."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

SKETCH = 8
"""Fields that change slowly are drawn at one pixel in eight."""
PERIOD_PX = 1024
"""Fine textures are drawn once in this size, seamless, and laid side by side."""


def smooth(
    rng: np.random.Generator, shape: tuple[int, int], cell: float
) -> Float32[np.ndarray, "H W"]:
    """Noise with mean near 0 and deviation 1 that changes over about `cell` pixels."""
    rows, columns = (int(np.ceil(side / cell)) + 3 for side in shape)
    coarse = rng.normal(size=(rows, columns)).astype(np.float32)
    size = int(np.ceil(columns * cell)), int(np.ceil(rows * cell))
    fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    top, left = int(cell), int(cell)
    # cubic interpolation keeps about 0.6 of the variance of independent knots
    return np.ascontiguousarray(fine[top : top + shape[0], left : left + shape[1]] * 1.3)


def outline(
    rng: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float], wobble: float
) -> Float64[np.ndarray, "P 2"]:
    """A closed, blob-like line around (x, y), turned at random; `wobble` 0 is an ellipse."""
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    order = np.arange(2, 9)[:, None]
    size = wobble * rng.normal(size=(7, 1)) / order
    radius = 1 + (size * np.cos(order * angle + rng.uniform(0, 2 * np.pi, (7, 1)))).sum(0)
    x, y = radii[0] * radius * np.cos(angle), radii[1] * radius * np.sin(angle)
    turn = rng.uniform(0, np.pi)
    points = (
        centre[0] + x * np.cos(turn) - y * np.sin(turn),
        centre[1] + x * np.sin(turn) + y * np.cos(turn),
    )
    return np.stack(points, axis=1)


def fill(mask: UInt8[np.ndarray, "H W"], line: Float64[np.ndarray, "P 2"], value: int) -> None:
    """Paint the inside of a closed line."""
    points = np.rint(line * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], int(value), lineType=cv2.LINE_AA, shift=4)


def jittered(
    rng: np.random.Generator, shape: tuple[int, int], spacing: float, jitter: float
) -> Float64[np.ndarray, "P 2"]:
    """Points (x, y) of a hexagonal grid, each moved by `jitter` spacings or so."""
    rows = np.arange(0, shape[0] / (spacing * 0.866) + 1)
    columns = np.arange(0, shape[1] / spacing + 1)
    x, y = np.meshgrid(columns, rows)
    points = np.stack([(x + 0.5 * (y % 2)) * spacing, y * spacing * 0.866], axis=-1).reshape(-1, 2)
    points += rng.normal(0, jitter * spacing, points.shape)
    return points[rng.permutation(len(points))]


@dataclass(frozen=True)
class Fibres:
    """Wavy strands over a whole slide."""

    texture: UInt8[np.ndarray, "H W"]
    """Mean about 128, deviation about 40."""
    angle: Float32[np.ndarray, "h w"]
    """Direction of the strands in radians, on the sketch."""


def draw_fibres(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Fibres:
    """Strands for a slide of this shape; `scale` is pixels per half micrometre."""
    small = (-(-shape[0] // SKETCH), -(-shape[1] // SKETCH))
    y, x = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32) * SKETCH
    turn = rng.uniform(0, np.pi)
    along = x * np.cos(turn) + y * np.sin(turn) + 130 * scale * smooth(rng, small, 70 * scale)
    across = -x * np.sin(turn) + y * np.cos(turn)
    across += 150 * scale * smooth(rng, small, 60 * scale) + 22 * scale * smooth(rng, small, 14.0)
    slope_y, slope_x = np.gradient(across)
    angle = np.arctan2(-slope_x, slope_y).astype(np.float32)
    # drawn at half size: strands are wider than two pixels
    half = (-(-shape[1] // 2), -(-shape[0] // 2))
    u, v = (cv2.resize((f / (2 * scale)).astype(np.float32), half) for f in (along, across))
    streaks = cv2.remap(_streaks(rng), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return Fibres(cv2.resize(streaks, (shape[1], shape[0])), angle)


def _streaks(rng: np.random.Generator) -> UInt8[np.ndarray, "1024 1024"]:
    total = np.zeros((PERIOD_PX, PERIOD_PX), np.float32)
    for length, width in ((71, 3), (105, 7), (61, 15)):
        noise = np.pad(rng.normal(size=total.shape).astype(np.float32), 128, mode="wrap")
        # two box blurs are a triangle, at a cost that knows no length
        blurred = cv2.blur(cv2.blur(noise, (length, width)), (length, width))
        streak = blurred[128:-128, 128:-128]
        total += streak / streak.std()
    return _steps(128 + 40 * total / total.std())


def _steps(field: Float32[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    return np.asarray(np.clip(field, 0, 255), np.uint8)


def grain(
    rng: np.random.Generator, shape: tuple[int, int], size: float, depth: float
) -> UInt8[np.ndarray, "H W"]:
    """Fine noise around 128 with deviation `depth`, repeating every `PERIOD_PX` pixels."""
    noise = np.pad(rng.normal(size=(PERIOD_PX, PERIOD_PX)).astype(np.float32), 64, mode="wrap")
    blurred = cv2.GaussianBlur(noise, (0, 0), size)[64:-64, 64:-64]
    tile = _steps(128 + depth * blurred / blurred.std())
    times = (-(-shape[0] // PERIOD_PX), -(-shape[1] // PERIOD_PX))
    return np.ascontiguousarray(np.tile(tile, times)[: shape[0], : shape[1]])


def enlarge(field: Float32[np.ndarray, "h w"], shape: tuple[int, int]) -> UInt8[np.ndarray, "H W"]:
    """A sketch with values 0 to 1 as steps of 255 over the whole slide."""
    steps = _steps(field * 255)
    size = (field.shape[1] * SKETCH, field.shape[0] * SKETCH)
    full = cv2.resize(steps, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(full[: shape[0], : shape[1]])


def at(
    field: Float32[np.ndarray, "h w"], points: Float64[np.ndarray, "P 2"]
) -> Float32[np.ndarray, " P"]:
    """A sketch's values at points (x, y) of the slide; the border's value beyond it."""
    rows = np.clip(points[:, 1] // SKETCH, 0, field.shape[0] - 1).astype(int)
    columns = np.clip(points[:, 0] // SKETCH, 0, field.shape[1] - 1).astype(int)
    return np.asarray(field[rows, columns])
