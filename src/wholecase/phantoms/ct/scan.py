"""A drawn head as a scanner measures it: partial volume, blur, noise, the measured circle."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int16

from wholecase.core.seeds import generator
from wholecase.phantoms.ct.findings import paint_calcium, paint_findings, paint_vessels
from wholecase.phantoms.ct.grid import SliceGrid, grid_of, thinner
from wholecase.phantoms.ct.head import draw_head
from wholecase.phantoms.ct.study_plan import POSITIVE, PhantomPatient

LOWEST_MM = -42.0
"""Height of the lowest slice: through the floor of the skull."""
REACH_MM = 125.0
"""Of all slices along the table: from there to the crown."""
LEAST_UNITS, MOST_UNITS = -1024, 3071
MASKED = 0.4
"""Of the thickness of a slice; a ring that takes up less of a pixel is not in the mask."""


@dataclass(frozen=True)
class Kernel:
    """How a reconstruction renders what was measured."""

    blur_mm: float
    noise: float
    """HU in a slice of 5 mm."""


SOFT, SHARP = Kernel(0.9, 3.0), Kernel(0.35, 22.0)


@dataclass(frozen=True)
class Scanned:
    """A patient's study before it is written."""

    grid: SliceGrid
    soft: Int16[np.ndarray, "Z H W"]
    """Hounsfield units, the lowest slice first."""
    sharp: Int16[np.ndarray, "Z H W"] | None
    """The same slices by the kernel for bone, where there is a second series."""
    scout: Int16[np.ndarray, "H W"] | None
    mask: Bool[np.ndarray, "Z H W"]
    """Where the rings are, with what they enclose."""


def scan(patient: PhantomPatient, seed: int) -> Scanned:
    """The study of one patient; all chance comes from the seed and the patient's id."""
    head = draw_head(generator(seed, patient.id, "head"))
    grid = grid_of(patient, LOWEST_MM)
    times = thinner(patient)
    fine = grid.finer(times)
    volume = np.stack([head.units(fine.points(_plane(fine, z))) for z in range(fine.shape[0])])
    volume = np.ascontiguousarray(volume[:, 0])
    paint_vessels(generator(seed, patient.id, "vessels"), volume, fine, head)
    paint_calcium(generator(seed, patient.id, "calcium"), volume, fine, head)
    chance = generator(seed, patient.id, "findings")
    inside = paint_findings(chance, volume, fine, head, patient)
    thick = volume.reshape(-1, times, *volume.shape[1:]).mean(axis=1)
    share = inside.reshape(-1, times, *inside.shape[1:]).mean(axis=1)

    def rendered(kernel: Kernel, name: str) -> Int16[np.ndarray, "Z H W"]:
        rng = generator(seed, patient.id, name)
        return np.stack([_rendered(rng, plane, patient, kernel) for plane in thick])

    return Scanned(
        grid=grid,
        soft=rendered(SOFT, "soft"),
        sharp=rendered(SHARP, "sharp") if patient.second else None,
        scout=_scout(thick, patient) if patient.scout else None,
        mask=_seen(share >= MASKED, patient),
    )


def _seen(mask: Bool[np.ndarray, "Z H W"], patient: PhantomPatient) -> Bool[np.ndarray, "Z H W"]:
    if mask.any() != (patient.label == POSITIVE):
        raise RuntimeError(f"{patient.id}: the drawn head has no room for a lesion")
    return mask


def _plane(grid: SliceGrid, z: int) -> tuple[slice, slice, slice]:
    return slice(z, z + 1), grid.whole[1], grid.whole[2]


def _rendered(
    rng: np.random.Generator,
    plane: Float32[np.ndarray, "H W"],
    patient: PhantomPatient,
    kernel: Kernel,
) -> Int16[np.ndarray, "H W"]:
    blurred = cv2.GaussianBlur(plane, (0, 0), kernel.blur_mm / patient.pixel_mm)
    noise = cv2.GaussianBlur(rng.normal(size=plane.shape), (0, 0), 0.7)
    noise *= kernel.noise * np.sqrt(5 / patient.thickness_mm) / noise.std()
    units = np.asarray(np.clip(np.rint(blurred + noise), LEAST_UNITS, MOST_UNITS), np.int16)
    # what lies outside of the measured circle was filled, or is air to the last digit
    units[~measured(patient.side_px)] = LEAST_UNITS
    return units


def measured(side_px: int) -> Bool[np.ndarray, "H W"]:
    """The circle in which pixels were measured."""
    y, x = np.mgrid[:side_px, :side_px] - (side_px - 1) / 2
    return np.asarray(x**2 + y**2 <= (side_px / 2) ** 2)


def _scout(
    thick: Float32[np.ndarray, "Z H W"], patient: PhantomPatient
) -> Int16[np.ndarray, "H W"]:
    """The head from the front, crown above; below the slices goes on what the lowest shows."""
    shadow = np.maximum(thick + 1000, 0).mean(axis=1)[::-1]
    side = patient.side_px
    rows = min(side, round(len(thick) * patient.thickness_mm / patient.pixel_mm))
    seen = cv2.resize(np.ascontiguousarray(shadow), (side, rows))
    whole = np.pad(seen, ((0, side - rows), (0, 0)), "edge")
    return np.asarray(np.clip(np.rint(whole - 500), LEAST_UNITS, MOST_UNITS), np.int16)
