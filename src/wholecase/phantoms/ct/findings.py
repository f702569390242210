"""What lies in a head: vessels, calcium, rings with oedema, and what looks like either half."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from wholecase.phantoms.ct.grid import SliceGrid
from wholecase.phantoms.ct.head import Head
from wholecase.phantoms.ct.study_plan import POSITIVE, PhantomPatient
from wholecase.phantoms.ct.waves import draw_waves

OEDEMA = 18.0
DIAMETER_MM, LEAST_FIRST_MM = (8.0, 20.0), 12.0
"""The first of a patient is none of the smallest, so that every patient has one to be seen."""
RING = (60.0, 90.0)
"""HU of what takes up contrast."""
DOT_MM = (1.4, 2.4)
"""Radius of a bright dot in the brain."""
APART_MM = 12.0
"""Between the borders of two findings."""
Point = Float64[np.ndarray, "3"]
Volume = Float32[np.ndarray, "z y x"]


@dataclass(frozen=True)
class Spot:
    """A place in the brain with a finding."""

    centre_mm: Point
    radius_mm: float
    """Of the bright part."""
    around_mm: float
    """Of the oedema, or of a patch like it."""


def paint_vessels(rng: np.random.Generator, volume: Volume, grid: SliceGrid, head: Head) -> None:
    """The sinus along the top of the falx, and vessels that wind over the brain."""
    angles = np.linspace(-0.9, 2.4, 90)
    for angle in angles:
        direction = np.array([0.0, np.sin(angle), np.cos(angle)])
        centre = _under_skull(head, direction, 2.0)
        _ball(volume, grid, (centre, 3.0 + 0.6 * angle), float(rng.normal(66, 1)))
    for _ in range(int(rng.integers(14, 24))):
        _vessel(rng, volume, grid, head)


def paint_calcium(rng: np.random.Generator, volume: Volume, grid: SliceGrid, head: Head) -> None:
    """Of the plexus on both sides and of the pineal gland, in most heads."""
    for side in (-1, 1):
        for _ in range(int(rng.integers(1, 5)) if rng.random() < 0.8 else 0):
            jitter = rng.normal(0, 2.5, 3)
            own = np.array([side * 19.0, 25.0, 13.0]) + jitter
            place = _in_scanner(head, own), float(rng.uniform(1.0, 2.1))
            _ball(volume, grid, place, float(rng.uniform(90, 260)))
    if rng.random() < 0.7:
        own = np.array([0.0, 19.0, 4.0])
        place = _in_scanner(head, own), float(rng.uniform(1.2, 2.2))
        _ball(volume, grid, place, float(rng.uniform(80, 220)))


def paint_findings(
    rng: np.random.Generator,
    volume: Volume,
    grid: SliceGrid,
    head: Head,
    patient: PhantomPatient,
) -> Bool[np.ndarray, "z y x"]:
    """Rings within oedema in positives; bright dots, and patches like oedema, in all.

    Returns:
        Where the rings are, with what they enclose.
    """
    mask = np.zeros(volume.shape, bool)
    taken: list[Spot] = []
    sick = patient.lesions if patient.label == POSITIVE else 0
    # what a ring and its oedema add, negatives have apart from each other
    beside = patient.lesions - sick
    for _ in range(sick):
        if spot := _free(rng, grid, head, taken):
            _patch(rng, volume, grid, spot)
            _ring(rng, volume, grid, spot, mask)
    for _ in range(beside + int(rng.integers(0, 2))):
        if spot := _free(rng, grid, head, taken):
            _patch(rng, volume, grid, spot)
    for _ in range(beside + int(rng.integers(0, 2))):
        if spot := _free(rng, grid, head, taken):
            _dots(rng, volume, grid, spot)
    return mask


def _free(rng: np.random.Generator, grid: SliceGrid, head: Head, taken: list[Spot]) -> Spot | None:
    """A place in the brain away from the others, and noted; None where there is no room."""
    least, most = DIAMETER_MM
    radius = float(rng.uniform(least if taken else LEAST_FIRST_MM, most)) / 2
    around = radius + float(rng.uniform(6, 12))
    for _ in range(400):
        centre = rng.uniform((-60, -80, -30), (60, 80, 75))
        near = any(
            np.linalg.norm(centre - spot.centre_mm) < around + spot.around_mm + APART_MM - 10
            for spot in taken
        )
        if not near and _is_seen(grid, centre) and _is_brain(head, centre):
            taken.append(Spot(centre, radius, around))
            return taken[-1]
    return None


def _is_brain(head: Head, centre: Point) -> bool:
    return bool(head.is_parenchyma(centre[None].astype(np.float32)).all())


def _is_seen(grid: SliceGrid, centre: Point) -> bool:
    """Whether the slices hold the place, and not at their very border."""
    z, y, x = grid.number_of(centre)
    inside = 0 < y < grid.shape[1] - 1 and 0 < x < grid.shape[2] - 1
    return bool(inside and 0.08 < z / grid.shape[0] < 0.92)


def _patch(rng: np.random.Generator, volume: Volume, grid: SliceGrid, spot: Spot) -> None:
    """White matter turned dark, with fingers; what is darker already stays."""
    block = grid.around(spot.centre_mm, 1.6 * spot.around_mm)
    points = grid.points(block)
    ragged = 1 + 0.22 * draw_waves(rng, 16.0).at(points)
    away = np.linalg.norm(points - spot.centre_mm, axis=-1)
    weight = np.clip((spot.around_mm * ragged - away) / 3 + 0.5, 0, 1)
    old = volume[block]
    value = OEDEMA + rng.normal(0, 1)
    volume[block] = np.where((old > value) & (old < 60), old + (value - old) * weight, old)


def _ring(
    rng: np.random.Generator,
    volume: Volume,
    grid: SliceGrid,
    spot: Spot,
    mask: Bool[np.ndarray, "z y x"],
) -> None:
    block = grid.around(spot.centre_mm, 1.4 * spot.radius_mm + 1)
    points = grid.points(block)
    uneven = 1 + 0.08 * draw_waves(rng, 12.0).at(points)
    away = np.linalg.norm(points - spot.centre_mm, axis=-1) / uneven
    wall = min(spot.radius_mm * 0.6, float(rng.uniform(2.2, 3.0)))
    bright, core = float(rng.uniform(*RING)), float(rng.uniform(12, 26))
    value = np.where(away > spot.radius_mm - wall, bright, core)
    weight = np.clip(spot.radius_mm - away + 0.5, 0, 1)
    volume[block] += (value - volume[block]) * weight
    mask[block] |= away < spot.radius_mm


def _dots(rng: np.random.Generator, volume: Volume, grid: SliceGrid, spot: Spot) -> None:
    """Together as much as a ring adds, each smaller than any: vessels that cross the slices."""
    left = spot.radius_mm**3
    while left > 0:
        radius = float(rng.uniform(*DOT_MM))
        centre = spot.centre_mm + rng.normal(0, 0.7, 3) * spot.around_mm
        _ball(volume, grid, (centre, radius), float(rng.uniform(*RING)) + 10)
        left -= radius**3


def _vessel(rng: np.random.Generator, volume: Volume, grid: SliceGrid, head: Head) -> None:
    direction = rng.normal(size=3) + np.array([0, 0, 0.4])
    value, radius = float(rng.uniform(55, 100)), float(rng.uniform(0.9, 1.8))
    heading = rng.normal(0, 0.02, 3)
    deep = rng.uniform(1, 10)
    for _ in range(int(rng.integers(20, 60))):
        heading = 0.85 * heading + rng.normal(0, 0.006, 3)
        direction = direction / np.linalg.norm(direction) + heading
        deep = float(np.clip(deep + rng.normal(0, 0.5), 0.5, 14))
        centre = _under_skull(head, direction, deep)
        _ball(volume, grid, (centre, radius), value)


def _ball(volume: Volume, grid: SliceGrid, place: tuple[Point, float], value: float) -> None:
    """A bright ball; what is brighter stays."""
    centre, radius = place
    block = grid.around(centre, radius + 1)
    if not volume[block].size:
        return
    away = np.linalg.norm(grid.points(block) - centre.astype(np.float32), axis=-1)
    weight = np.clip(radius - away + 0.5, 0, 1)
    old = volume[block]
    volume[block] = np.where((old < value) & (old > -50), old + (value - old) * weight, old)


def _under_skull(head: Head, direction: Point, deep_mm: float) -> Point:
    """The point of the scanner in that direction, so far under the inside of the skull."""
    unit = direction / np.linalg.norm(direction)
    side, front, above, below = head.half_mm.astype(np.float64)
    half = np.array([side, front, above if unit[2] > 0 else below])
    scaled = unit / half
    reach = 1 / np.linalg.norm(scaled)
    # along the ray a layer is thicker than across it
    steep = np.linalg.norm(scaled / half) * reach**2
    return _in_scanner(head, unit * (reach - (head.scalp_mm + head.skull_mm + deep_mm) * steep))


def _in_scanner(head: Head, own: Point) -> Point:
    """A point of the head as one of the scanner, up to the slight bend."""
    cos, sin = np.cos(head.turn), np.sin(head.turn)
    turned = np.array([cos * own[0] - sin * own[1], sin * own[0] + cos * own[1], own[2]])
    return np.asarray(turned + head.shift_mm)
