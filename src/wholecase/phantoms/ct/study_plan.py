"""Who is in a drawn CT cohort: patients, labels, scanners, and what each head carries."""

from dataclasses import dataclass

import numpy as np
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator

POSITIVE, NEGATIVE = "metastasis", "none"
MOST_LESIONS = 4
LEAST_SIDE_PX, LEAST_REACH_MM = 48, 60.0
"""Smaller stacks have no room for their lesions, or show less than a pixel of them."""


@dataclass(frozen=True)
class Scanner:
    """A hospital's habits of writing."""

    site: str
    soft: str
    """Name of the kernel for brain."""
    sharp: str
    """Name of the kernel for bone."""
    intercept: int
    signed: bool
    bits_stored: int
    padding: int | None
    """Stored number outside of the circle that was measured; None where air is measured there."""
    scout_apart: bool
    """Whether scouts are a series of their own; else they stand in that of the slices."""
    suffix: str
    """Of the files' names."""


SCANNERS = (
    Scanner(
        site="north",
        soft="STANDARD",
        sharp="BONEPLUS",
        intercept=-1024,
        signed=True,
        bits_stored=16,
        padding=-2000,
        scout_apart=True,
        suffix=".dcm",
    ),
    Scanner(
        site="south",
        soft="H31s",
        sharp="H60s",
        intercept=-1024,
        signed=False,
        bits_stored=12,
        padding=None,
        scout_apart=False,
        suffix=".IMA",
    ),
    Scanner(
        site="harbour",
        soft="FC21",
        sharp="FC30",
        intercept=0,
        signed=True,
        bits_stored=16,
        padding=-2048,
        scout_apart=True,
        suffix="",
    ),
    Scanner(
        site="lakeside",
        soft="B",
        sharp="YB",
        intercept=-2048,
        signed=False,
        bits_stored=16,
        padding=0,
        scout_apart=True,
        suffix=".dcm",
    ),
)
"""The kernels are named as four vendors name theirs."""
SYNTAXES: tuple[UID, ...] = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    JPEG2000Lossless,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
THICKNESSES_MM = (5.0, 5.0, 4.0, 5.0, 4.0, 2.5)


@dataclass(frozen=True)
class PhantomPatient:
    """One patient with one study."""

    id: str
    patient: str
    label: str
    scanner: Scanner
    syntax: UID
    side_px: int
    pixel_mm: float
    thickness_mm: float
    """Of a slice, and from one to the next along the table."""
    slices: int
    tilt_deg: float
    """Of the gantry, about the axis from ear to ear."""
    lesions: int
    """Rings with oedema in positives; as many bright spots, and patches like oedema, elsewhere in
    negatives."""
    scout: bool
    second: bool
    """Whether the bone kernel's series lies beside."""


def plan_patients(
    patients: int, seed: int, side_px: int, reach_mm: float
) -> tuple[PhantomPatient, ...]:
    """The patients in the order of their ids; half are positive.

    Scanners, syntaxes, thickness, tilt, scouts and second series are dealt out in turn within each
    label, so that none of them tells it.

    Args:
        patients: how many.
        seed: of the cohort.
        side_px: of a square slice.
        reach_mm: of the slices together, along the table.

    Raises:
        RecipeError: fewer than two patients, or slices too small or too few for their
            lesions.
    """
    if patients < 2:
        raise RecipeError(f"{patients} drawn patients cannot hold both labels; ask for at least 2")
    if side_px < LEAST_SIDE_PX or reach_mm < LEAST_REACH_MM:
        raise RecipeError(
            f"drawn slices of {side_px} px over {reach_mm:g} mm are too small; give at least "
            f"{LEAST_SIDE_PX} px over {LEAST_REACH_MM:g} mm"
        )
    order = generator(seed, "phantom ct").permutation(patients)
    width = max(3, len(str(patients)))
    half = patients // 2
    planned = []
    for label, places in ((POSITIVE, order[:half]), (NEGATIVE, order[half:])):
        for rank, place in enumerate(places.tolist()):
            name = f"phantom-{place + 1:0{width}}"
            rng = generator(seed, name, "plan")
            planned.append(_patient(rng, name, label, rank, (side_px, reach_mm)))
    return tuple(sorted(planned, key=lambda patient: patient.id))


def _patient(
    rng: np.random.Generator, name: str, label: str, rank: int, size: tuple[int, float]
) -> PhantomPatient:
    side_px, reach_mm = size
    thickness = THICKNESSES_MM[rank % len(THICKNESSES_MM)]
    return PhantomPatient(
        id=name,
        patient=name.replace("phantom", "patient"),
        label=label,
        scanner=SCANNERS[rank % len(SCANNERS)],
        # a step further every twelve, so that each scanner writes in each syntax
        syntax=SYNTAXES[(rank + rank // 12) % len(SYNTAXES)],
        side_px=side_px,
        pixel_mm=round(float(rng.uniform(205, 230)) / side_px, 4),
        thickness_mm=thickness,
        slices=round(reach_mm / thickness),
        tilt_deg=round(float(rng.uniform(8, 18)), 1) if rank % 7 in {2, 5} else 0.0,
        lesions=(rank + rank // MOST_LESIONS) % MOST_LESIONS + 1,
        scout=rank % 3 != 1,
        second=rank % 5 in {1, 2},
    )
