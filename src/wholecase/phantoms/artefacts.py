"""What a slide carries that is no finding: uneven sections, folds, pen, light, dust."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.phantoms.fields import SKETCH, enlarge, grain, smooth
from wholecase.phantoms.stains import Planes

PENS = ((0.28, 0.40, 0.78), (0.22, 0.62, 0.42), (0.24, 0.24, 0.27))
"""Light that blue, green and black ink let through."""


def uneven(
    rng: np.random.Generator, planes: Planes, cover: UInt8[np.ndarray, "H W"], scale: float
) -> None:
    """Cut the tissue out and let its thickness vary, slowly and finely."""
    shape = cover.shape
    small = (-(-shape[0] // SKETCH), -(-shape[1] // SKETCH))
    slow = enlarge((0.5 + 0.035 * smooth(rng, small, 60 * scale)).astype(np.float32), shape)
    thickness = cv2.multiply(slow, grain(rng, shape, 1.1 * scale, 13.0), scale=1 / 128)
    thickness = cv2.bitwise_and(thickness, cover)
    for plane in (planes.haematoxylin, planes.eosin):
        cv2.multiply(plane, thickness, dst=plane, scale=1 / 128)


def fold(
    rng: np.random.Generator, planes: Planes, tissue: Float32[np.ndarray, "h w"], scale: float
) -> None:
    """A dark band across the tissue, where the section lies on itself."""
    h, w = tissue.shape
    place = np.argwhere(tissue > 0.5)
    row, column = place[rng.integers(len(place))]
    angle, bend = rng.uniform(0, np.pi), rng.normal(0, 0.25)
    along = np.linspace(-0.35, 0.35, 60) * w
    x = column + along * np.cos(angle) - bend * along**2 / w * np.sin(angle)
    y = row + along * np.sin(angle) + bend * along**2 / w * np.cos(angle)
    drawn = np.zeros((h, w), np.float32)
    line = np.stack([x, y], axis=1).round().astype(np.int32)
    cv2.polylines(drawn, [line], isClosed=False, color=1.0, thickness=max(2, round(5 * scale)))
    band = cv2.GaussianBlur(drawn, (0, 0), 1.2) * (0.75 + 0.25 * smooth(rng, (h, w), 12.0))
    factor = enlarge(np.clip(0.5 + 0.42 * band, 0, 1).astype(np.float32), planes.eosin.shape)
    for plane in (planes.haematoxylin, planes.eosin):
        cv2.multiply(plane, factor, dst=plane, scale=1 / 128)


def light(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "H W 3"], scale: float
) -> UInt8[np.ndarray, "H W 3"]:
    """The lamp's uneven white, the lens's blur and the sensor's noise."""
    h, w = pixels.shape[:2]
    lamp = enlarge(0.965 + 0.008 * smooth(rng, (-(-h // SKETCH), -(-w // SKETCH)), 160.0), (h, w))
    noisy = cv2.multiply(lamp, grain(rng, (h, w), 0.6, 0.9), scale=1 / 128)
    lit = cv2.multiply(pixels, cv2.cvtColor(noisy, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    return np.ascontiguousarray(cv2.GaussianBlur(lit, (3, 3), 0.55 * scale))


def pen(
    rng: np.random.Generator,
    pixels: UInt8[np.ndarray, "H W 3"],
    tissue: Float32[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "H W 3"]:
    """A stroke of ink on the glass, along a border of the tissue."""
    h, w = tissue.shape
    borders, _ = cv2.findContours(
        (tissue > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    border = max(borders, key=len)[:, 0]
    start = rng.integers(len(border))
    reach = int(rng.uniform(0.12, 0.3) * len(border))
    line = np.take(border, np.arange(start, start + reach, 12), axis=0, mode="wrap").astype(float)
    line += 0.07 * (line - border.mean(0)) + rng.normal(0, 1.0, line.shape)
    stroke = np.zeros((h, w), np.float32)
    thickness = int(rng.integers(14, 22))
    points = np.rint(line).astype(np.int32)
    cv2.polylines(stroke, [points], isClosed=False, color=1.0, thickness=thickness)
    ink = cv2.GaussianBlur(stroke, (0, 0), 0.7) * np.clip(
        0.85 + 0.1 * smooth(rng, (h, w), 6.0), 0, 1
    )
    colour = np.array(PENS[int(rng.integers(len(PENS)))])
    full = enlarge(ink.astype(np.float32), pixels.shape[:2])
    through = np.rint(255 * colour ** (np.arange(256)[:, None] / 255)).astype(np.uint8)
    inked = [
        cv2.multiply(channel, cv2.LUT(full, np.ascontiguousarray(table)), scale=1 / 255)
        for channel, table in zip(cv2.split(pixels), through.T, strict=True)
    ]
    return np.ascontiguousarray(cv2.merge(inked))
