"""Where the samples of a drawn volume lie in the patient."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64

from wholecase.phantoms.ct.study_plan import PhantomPatient

FINEST_MM = 1.7
"""Slices are averaged from thinner ones that are no thicker than this: partial volume."""
Block = tuple[slice, slice, slice]


@dataclass(frozen=True)
class SliceGrid:
    """A stack of slices, sheared where the gantry is tilted.

    Points are mm in the patient: to the left, to the back, upwards, from the middle of the head.
    """

    first_mm: Float64[np.ndarray, "3"]
    """Centre of the first pixel of the lowest slice."""
    steps_mm: Float64[np.ndarray, "3 3"]
    """From a slice to the next one up, a row to the next, a column to the next."""
    shape: tuple[int, int, int]
    """Slices, rows, columns."""

    def points(self, block: Block) -> Float32[np.ndarray, "z y x 3"]:
        """The places of a block of samples."""
        z, y, x = (np.arange(part.start, part.stop)[:, None] for part in block)
        up, down, across = self.steps_mm
        lines = self.first_mm + z * up
        plane = lines[:, None] + y * down
        return np.asarray(plane[:, :, None] + x * across, np.float32)

    @property
    def whole(self) -> Block:
        """The block of all samples."""
        z, y, x = self.shape
        return slice(0, z), slice(0, y), slice(0, x)

    def around(self, centre_mm: Float64[np.ndarray, "3"], reach_mm: float) -> Block:
        """The block that holds a ball; empty where the ball is outside."""
        middle = self.number_of(centre_mm)
        half = reach_mm * np.linalg.norm(self._inverse, axis=0)
        starts = np.clip(np.floor(middle - half), 0, self.shape).astype(int)
        stops = np.clip(np.ceil(middle + half) + 1, starts, self.shape).astype(int)
        z, y, x = (slice(a, b) for a, b in zip(starts.tolist(), stops.tolist(), strict=True))
        return z, y, x

    def number_of(self, point_mm: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3"]:
        """Slice, row and column at a point, in fractions."""
        return np.asarray((point_mm - self.first_mm) @ self._inverse)

    @cached_property
    def _inverse(self) -> Float64[np.ndarray, "3 3"]:
        return np.linalg.inv(self.steps_mm)

    def finer(self, times: int) -> "SliceGrid":
        """Each slice divided along the way to the next into `times` thinner ones."""
        steps = self.steps_mm.copy()
        steps[0] /= times
        first = self.first_mm - self.steps_mm[0] * (times - 1) / (2 * times)
        return SliceGrid(first, steps, (self.shape[0] * times, *self.shape[1:]))


def grid_of(patient: PhantomPatient, lowest_mm: float) -> SliceGrid:
    """The patient's slices; the middle of the lowest one lies at that height."""
    turn = np.radians(patient.tilt_deg)
    side, pixel = patient.side_px, patient.pixel_mm
    across = np.array([1.0, 0.0, 0.0]) * pixel
    down = np.array([0.0, np.cos(turn), np.sin(turn)]) * pixel
    table = np.array([0.0, 0.0, patient.thickness_mm])
    first = np.array([0.0, 0.0, lowest_mm]) - (across + down) * (side - 1) / 2
    return SliceGrid(first, np.stack([table, down, across]), (patient.slices, side, side))


def thinner(patient: PhantomPatient) -> int:
    """How many thin slices are averaged into one."""
    return int(np.ceil(patient.thickness_mm / FINEST_MM))
