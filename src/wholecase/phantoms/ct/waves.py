"""Smooth chance that has a value at every point of space, whatever is sampled there."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True)
class Waves:
    """A sum of plane waves: mean 0, deviation 1."""

    vectors: Float32[np.ndarray, "K 3"]
    """Radians per mm."""
    phases: Float32[np.ndarray, " K"]

    def at(self, points: Float32[np.ndarray, "... 3"]) -> Float32[np.ndarray, "..."]:
        """The value at points in mm."""
        total = np.zeros(points.shape[:-1], np.float32)
        for vector, phase in zip(self.vectors, self.phases, strict=True):
            total += np.cos(points @ vector + phase)
        return total * np.float32(np.sqrt(2 / len(self.phases)))


def draw_waves(rng: np.random.Generator, length_mm: float, count: int = 6) -> Waves:
    """Waves of about this length, in any direction."""
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = length_mm * rng.uniform(0.7, 1.5, (count, 1))
    vectors = (2 * np.pi * directions / lengths).astype(np.float32)
    return Waves(vectors, rng.uniform(0, 2 * np.pi, count).astype(np.float32))
