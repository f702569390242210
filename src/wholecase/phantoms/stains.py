"""Two stains in glass: amounts per pixel become colour by the Beer-Lambert law."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

HAEMATOXYLIN_UNIT, EOSIN_UNIT = 1 / 200, 1 / 400
"""Amount of stain in one step of a plane: eosin is thinner, so its steps are finer."""
HAEMATOXYLIN = np.array([0.61, 0.71, 0.34])
"""Decadic optical density of one unit in red, green, blue: between Ruifrok 2001, Macenko 2009."""
EOSIN = np.array([0.15, 0.87, 0.42])
"""The same for eosin."""


@dataclass(frozen=True)
class Planes:
    """How much of each stain lies in each pixel, in steps of the units above; drawn in place."""

    haematoxylin: UInt8[np.ndarray, "H W"]
    eosin: UInt8[np.ndarray, "H W"]

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "Planes":
        """Bare glass."""
        return cls(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))


@dataclass(frozen=True)
class Stain:
    """A laboratory's colours on one day."""

    haematoxylin: Float64[np.ndarray, "3"]
    eosin: Float64[np.ndarray, "3"]
    strength: tuple[float, float] = (1.0, 1.0)
    """Factors on the amounts of haematoxylin and eosin."""

    def tables(self) -> tuple[Float64[np.ndarray, "256 3"], Float64[np.ndarray, "256 3"]]:
        """Share of light that each step of haematoxylin and of eosin lets through."""
        steps = np.arange(256.0)[:, None]
        h = steps * HAEMATOXYLIN_UNIT * self.strength[0] * self.haematoxylin
        e = steps * EOSIN_UNIT * self.strength[1] * self.eosin
        return 10.0**-h, 10.0**-e


def draw_stain(*chances: np.random.Generator) -> Stain:
    """A slide's stain: its laboratory's habit, the chance of the day, and that of the slide."""
    shares = (0.70, 0.65, 0.25)
    mixed = sum(
        (share * rng.normal(size=8) for share, rng in zip(shares, chances, strict=True)),
        start=np.zeros(8),
    )
    h = HAEMATOXYLIN + 0.030 * mixed[:3]
    e = EOSIN + 0.035 * mixed[3:6]
    strength = np.exp(0.10 * mixed[6:])
    return Stain(h, e, (float(strength[0]), float(strength[1])))


def transmit(planes: Planes, stain: Stain) -> UInt8[np.ndarray, "H W 3"]:
    """The colours that white light has behind the stained section."""
    h_table, e_table = stain.tables()
    channels = []
    for c in range(3):
        h = cv2.LUT(planes.haematoxylin, np.rint(255 * h_table[:, c]).astype(np.uint8))
        e = cv2.LUT(planes.eosin, np.rint(255 * e_table[:, c]).astype(np.uint8))
        channels.append(cv2.multiply(h, e, scale=1 / 255))
    return np.ascontiguousarray(cv2.merge(channels))


def match_colour(
    planes: Planes, inside: UInt8[np.ndarray, "H W"], stain: Stain, amounts: tuple[float, float]
) -> None:
    """Shift both stains evenly until the mean colour inside is that of an even film.

    The film has these amounts of haematoxylin and eosin. Gauss-Newton on the mean transmitted
    light, since equal mean amounts are not equal mean colours.
    """
    step = max(1, round(min(inside.shape) / 150))
    chosen = inside[::step, ::step] > 0
    if not chosen.any():
        return
    h = planes.haematoxylin[::step, ::step][chosen] * HAEMATOXYLIN_UNIT * stain.strength[0]
    e = planes.eosin[::step, ::step][chosen] * EOSIN_UNIT * stain.strength[1]
    vectors = np.stack([stain.haematoxylin, stain.eosin])  # [2, 3]
    film = np.array(amounts) * stain.strength
    light = 10.0 ** -(np.stack([h, e], axis=1) @ vectors)  # [pixels, 3]
    # an even shift multiplies all light by the same factor, so one least-squares step is exact
    shift, *_ = np.linalg.lstsq(vectors.T, np.log10(light.mean(0)) + film @ vectors, rcond=None)
    _shift(planes.haematoxylin, shift[0] / stain.strength[0] / HAEMATOXYLIN_UNIT)
    _shift(planes.eosin, shift[1] / stain.strength[1] / EOSIN_UNIT)


def _shift(plane: UInt8[np.ndarray, "H W"], steps: float) -> None:
    table = np.clip(np.rint(np.arange(256) + steps), 0, 255).astype(np.uint8)
    plane[...] = cv2.LUT(plane, table)
