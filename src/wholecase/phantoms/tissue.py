"""Ordinary tissue: stroma, cellular fields, glands, vessels, fat, and their nuclei."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from wholecase.phantoms.fields import (
    Fibres,
    at,
    enlarge,
    fill,
    jittered,
    outline,
    smooth,
)
from wholecase.phantoms.ground import Ground, holes_of_fat
from wholecase.phantoms.nuclei import Stamps, along, pick
from wholecase.phantoms.stains import Planes


@dataclass(frozen=True)
class Plot:
    """What ordinary tissue is drawn from."""

    ground: Ground
    fibres: Fibres
    stamps: dict[str, Stamps]
    shape: tuple[int, int]
    scale: float
    """Pixels per half micrometre."""


def draw_tissue(rng: np.random.Generator, plot: Plot) -> Planes:
    """Both stains of the whole slide, as if tissue lay everywhere on it."""
    planes = _matrix(plot)
    _scatter(rng, planes, plot)
    for centre in _centres(rng, plot, count=int(rng.integers(14, 30)), sort="cellular"):
        _gland(rng, planes, plot, centre)
    for centre in _centres(rng, plot, count=int(rng.integers(5, 12)), sort="stroma"):
        _vessel(rng, planes, plot, centre)
    fat = holes_of_fat(rng, plot.ground, plot.shape, plot.scale)
    planes.haematoxylin[fat > 0] = 0
    planes.eosin[fat > 0] = 3
    return planes


def _matrix(plot: Plot) -> Planes:
    """Fibres with clefts between them, and the denser ground of cellular fields."""
    steps = np.arange(256.0)
    strands = np.where(steps < 62, 6 + steps / 6, 62 + 0.42 * (steps - 62))
    eosin = cv2.LUT(plot.fibres.texture, strands.astype(np.uint8))
    haematoxylin = cv2.LUT(
        plot.fibres.texture, np.where(steps < 62, 2, 8 + steps / 40).astype(np.uint8)
    )
    border = cv2.add(enlarge(plot.ground.cellular, plot.shape) // 2, plot.fibres.texture // 4)
    _, cellular = cv2.threshold(border, 96, 255, cv2.THRESH_BINARY)
    dense = cv2.LUT(plot.fibres.texture, (74 + 0.10 * steps).astype(np.uint8))
    cv2.copyTo(dense, cellular, eosin)
    haematoxylin[cellular > 0] = 26
    return Planes(haematoxylin, eosin)


def _scatter(rng: np.random.Generator, planes: Planes, plot: Plot) -> None:
    """Spindle nuclei along the fibres, round ones in cellular fields, lymphocytes anywhere."""
    ground, small = plot.ground, plot.ground.tissue.shape
    crowd = smooth(rng, small, 45 * plot.scale)
    for name, spacing_um, where in (
        ("spindle", 24.0, ground.cellular < 0.5),
        ("epithelial", 13.5, ground.cellular > 0.5),
        ("lymphocyte", 20.0, crowd > 1.1 - 0.4 * ground.cellular),
    ):
        points = jittered(rng, plot.shape, spacing_um * 2 * plot.scale, 0.26)
        here = (where & (ground.tissue > 0.35)).astype(np.float32)
        points = points[at(here, points) > 0.5]
        turned = along(rng, at(plot.fibres.angle, points))
        variants = turned if name == "spindle" else pick(rng, len(points))
        plot.stamps[name].press(planes.haematoxylin, points, variants)


def _centres(
    rng: np.random.Generator, plot: Plot, *, count: int, sort: str
) -> Float64[np.ndarray, "P 2"]:
    """Places (x, y) well inside tissue of that sort."""
    cellular = plot.ground.cellular > 0.5
    inside = (plot.ground.tissue > 0.5) & (cellular if sort == "cellular" else ~cellular)
    room = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(room > 8 * plot.scale)
    chosen = rng.permutation(len(rows))[:count]
    return np.stack([columns[chosen], rows[chosen]], axis=1) * 8.0 + 4.0


def _gland(
    rng: np.random.Generator, planes: Planes, plot: Plot, centre: Float64[np.ndarray, "2"]
) -> None:
    """A ring of cells around a lumen."""
    radius = rng.uniform(50, 120) * plot.scale
    wall = 26 * plot.scale
    border = outline(rng, (0.0, 0.0), (radius, radius * rng.uniform(0.6, 1.0)), 0.16)
    reach = np.linalg.norm(border, axis=1, keepdims=True)

    def line(depth: float) -> Float64[np.ndarray, "P 2"]:
        return np.asarray(centre + border * np.maximum(1 - depth / reach, 0.1))

    for plane, thin, epithelium, lumen in (
        (planes.haematoxylin, 8, 44, 0),
        (planes.eosin, 96, 78, int(rng.choice([2, 2, 40]))),
    ):
        fill(plane, line(-3 * plot.scale), thin)
        fill(plane, line(0.0), epithelium)
        fill(plane, line(wall), lumen)
    ring = line(0.40 * wall)
    length = np.linalg.norm(np.diff(ring, axis=0), axis=1).sum()
    every = max(1, round(len(ring) * 12.5 * plot.scale / length))
    points = ring[::every] + rng.normal(0, 1.8 * plot.scale, ring[::every].shape)
    plot.stamps["epithelial"].press(planes.haematoxylin, points, pick(rng, len(points)))


def _vessel(
    rng: np.random.Generator, planes: Planes, plot: Plot, centre: Float64[np.ndarray, "2"]
) -> None:
    """A thin wall around red cells."""
    radius = rng.uniform(18, 55) * plot.scale
    line = outline(rng, tuple(centre), (radius, radius * rng.uniform(0.4, 0.9)), 0.15)
    middle = line.mean(0)
    for plane, wall, blood in ((planes.haematoxylin, 16, 0), (planes.eosin, 110, 8)):
        fill(plane, middle + 1.22 * (line - middle), wall)
        fill(plane, line, blood)
    cells = jittered(rng, (int(2.4 * radius),) * 2, 13.5 * plot.scale, 0.14) + centre - 1.2 * radius
    for x, y in cells:
        near = cv2.pointPolygonTest(line.astype(np.float32), (float(x), float(y)), measureDist=True)
        if near > 5 * plot.scale and rng.random() < 0.9:
            place = (round(x * 16), round(y * 16))
            cv2.circle(planes.eosin, place, round(6 * plot.scale * 16), 165, -1, cv2.LINE_AA, 4)


def cover_of(plot: Plot) -> UInt8[np.ndarray, "H W"]:
    """255 where tissue lies on the glass, with a frayed border."""
    soft = enlarge(plot.ground.tissue, plot.shape)
    mixed = cv2.addWeighted(soft, 0.85, plot.fibres.texture, 0.15, 0)
    return np.ascontiguousarray(cv2.threshold(mixed, 127, 255, cv2.THRESH_BINARY)[1])
