"""A small library of drawn nuclei, and the hand that stamps them."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from wholecase.phantoms.fields import fill, outline
from wholecase.phantoms.stains import HAEMATOXYLIN_UNIT

VARIANTS = 40
FINER = 2
"""Nuclei are drawn this much finer and then reduced, for smooth edges."""


@dataclass(frozen=True)
class Kind:
    """How the nuclei of one kind of cell look."""

    length_um: float
    spread: float
    """Deviation of the length's logarithm."""
    slimness: float
    """Width over length."""
    wobble: float
    amount: float
    """Haematoxylin inside."""
    clumps: float
    """How coarse the chromatin is: deviation of the amount."""
    rim: float
    """More haematoxylin along the membrane."""
    nucleoli: int
    """At most this many dark nucleoli, at least one where any."""


KINDS = {
    "spindle": Kind(15.0, 0.25, 0.27, 0.10, 0.62, 0.06, 0.05, 0),
    "epithelial": Kind(8.6, 0.14, 0.74, 0.08, 0.52, 0.08, 0.12, 0),
    "lymphocyte": Kind(6.2, 0.08, 0.92, 0.06, 0.76, 0.14, 0.10, 0),
    "atypical": Kind(13.0, 0.22, 0.74, 0.17, 0.30, 0.09, 0.36, 2),
    "metastatic": Kind(13.0, 0.26, 0.70, 0.20, 0.50, 0.12, 0.16, 1),
}


@dataclass(frozen=True)
class Stamps:
    """Variants of one kind of nucleus; for slim kinds the angle grows with the index."""

    plates: UInt8[np.ndarray, "V S S"]

    def press(
        self,
        plane: UInt8[np.ndarray, "H W"],
        points: Float64[np.ndarray, "P 2"],
        variants: Int64[np.ndarray, " P"],
    ) -> None:
        """Darken the plane by a variant at each point (x, y), except across its border."""
        side = self.plates.shape[1]
        corners = np.rint(points - side / 2).astype(int)
        room = np.array([plane.shape[1] - side, plane.shape[0] - side])
        fits = np.all((corners >= 0) & (corners <= room), axis=1)
        chosen = zip(*corners[fits].T.tolist(), variants[fits].tolist(), strict=True)
        for x, y, variant in chosen:
            view = plane[y : y + side, x : x + side]
            np.maximum(view, self.plates[variant], out=view)


def pick(rng: np.random.Generator, count: int) -> Int64[np.ndarray, " P"]:
    """Any variants."""
    return rng.integers(0, VARIANTS, count)


def along(rng: np.random.Generator, angle: Float32[np.ndarray, " P"]) -> Int64[np.ndarray, " P"]:
    """Variants that lie in about these directions (radians)."""
    turned = np.mod(angle + rng.normal(0, 0.15, len(angle)), np.pi) / np.pi
    return np.floor(turned * VARIANTS).astype(np.int64) % VARIANTS


def draw_stamps(rng: np.random.Generator, kind: Kind, px_per_um: float) -> Stamps:
    """The variants of one kind, for slides of this resolution."""
    longest = kind.length_um * np.exp(2.2 * kind.spread) * 1.25
    side = int(np.ceil(longest * px_per_um)) + 3
    plates = [_plate(rng, kind, px_per_um, (side, v)) for v in range(VARIANTS)]
    return Stamps(np.stack(plates))


def _plate(
    rng: np.random.Generator, kind: Kind, px_per_um: float, side_variant: tuple[int, int]
) -> UInt8[np.ndarray, "S S"]:
    side, variant = side_variant
    wide, middle = side * FINER, side * FINER / 2
    stretch = np.clip(np.exp(rng.normal(0, kind.spread)), None, np.exp(2.2 * kind.spread))
    half = kind.length_um * stretch * px_per_um * FINER / 2
    line = outline(rng, (0.0, 0.0), (half, half * kind.slimness), kind.wobble)
    line = _turned(line, np.pi * (variant + 0.5) / VARIANTS) + middle
    body = np.zeros((wide, wide), np.uint8)
    fill(body, line, 255)
    depth = cv2.distanceTransform(body, cv2.DIST_L2, 3) / (0.45 * px_per_um * FINER)
    noise = cv2.GaussianBlur(rng.normal(size=body.shape).astype(np.float32), (0, 0), 1.2 * FINER)
    amount = kind.amount * np.exp(rng.normal(0, 0.14)) + kind.clumps * noise / noise.std()
    amount += kind.rim * np.exp(-((depth - 1) ** 2))
    _add_nucleoli(rng, amount, line, (kind.nucleoli, px_per_um))
    # a soft edge, as the section is thicker than the nucleus is flat
    amount = np.clip(amount, 0.12, 1.25) * cv2.GaussianBlur(body, (0, 0), 0.6 * FINER) / 255
    reduced = cv2.resize(amount.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(reduced / HAEMATOXYLIN_UNIT, 0, 255), np.uint8)


def _turned(line: Float64[np.ndarray, "P 2"], angle: float) -> Float64[np.ndarray, "P 2"]:
    """The line with its longest direction at this angle."""
    _, axes = np.linalg.eigh(np.cov(line.T))
    now = np.arctan2(axes[1, 1], axes[0, 1])
    c, s = np.cos(angle - now), np.sin(angle - now)
    return np.asarray(line @ np.array([[c, s], [-s, c]]))


def _add_nucleoli(
    rng: np.random.Generator,
    amount: Float64[np.ndarray, "S S"],
    line: Float64[np.ndarray, "P 2"],
    most_and_scale: tuple[int, float],
) -> None:
    most, px_per_um = most_and_scale
    if not most:
        return
    for _ in range(int(rng.integers(1, most + 1))):
        towards = line[rng.integers(len(line))]
        x, y = line.mean(0) + rng.uniform(0.0, 0.5) * (towards - line.mean(0))
        spot = np.zeros(amount.shape, np.uint8)
        radius = rng.uniform(1.0, 1.6) * px_per_um * FINER
        cv2.circle(spot, (round(x), round(y)), round(radius), 255, -1)
        amount += 0.75 * cv2.GaussianBlur(spot, (0, 0), 1.0 + FINER / 3) / 255
