"""Who is in a drawn cohort: cases, patients, labels, sites, and what each slide carries."""

from dataclasses import dataclass

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator

POSITIVE, NEGATIVE = "mutated", "wild-type"
LEAST_UM = (900.0, 700.0)
"""Smaller slides have no room for their lesions."""


@dataclass(frozen=True)
class Site:
    """A hospital: its scanner's spacing and tile side."""

    name: str
    spacing_um: float
    tile_px: int


SITES = (Site("north", 0.5, 256), Site("south", 0.5, 256), Site("harbour", 0.46, 240))


@dataclass(frozen=True)
class PhantomCase:
    """One case with one slide."""

    id: str
    patient: str
    label: str
    site: str
    day: int
    """When it was stained: a day's slides share most of their colour, whatever their label."""
    spacing_um: float
    tile_px: int
    size_um: tuple[float, float]
    """Width and height of the slide, about."""
    nests: int
    """0 in negative cases."""
    folds: int
    pen: bool


def plan_cohort(cases: int, seed: int, size_um: tuple[float, float]) -> tuple[PhantomCase, ...]:
    """The cases in the order of their ids; half are positive, one patient in six has two.

    Raises:
        RecipeError: fewer than two cases, or slides too small for their lesions.
    """
    if cases < 2:
        raise RecipeError(f"{cases} drawn cases cannot hold both labels; ask for at least 2")
    if size_um[0] < LEAST_UM[0] or size_um[1] < LEAST_UM[1]:
        raise RecipeError(f"drawn slides of {size_um} µm are too small; give at least {LEAST_UM}")
    rng = generator(seed, "phantom cohort")
    order = rng.permutation(cases)
    width = max(3, len(str(cases)))
    planned = []
    for label, places in ((POSITIVE, order[: cases // 2]), (NEGATIVE, order[cases // 2 :])):
        for rank, place in enumerate(places.tolist()):
            # the first two of every seven are one patient, and stay at one site
            holder = int(places[rank - 1]) if rank % 7 == 1 else place
            names = (f"phantom-{place + 1:0{width}}", f"patient-{holder + 1:0{width}}")
            ranks = (rank, rank - 1 if rank % 7 == 1 else rank)
            planned.append(_case(generator(seed, names[0], "plan"), names, label, ranks, size_um))
    return tuple(sorted(planned, key=lambda case: case.id))


def _case(
    rng: np.random.Generator,
    names: tuple[str, str],
    label: str,
    ranks: tuple[int, int],
    size_um: tuple[float, float],
) -> PhantomCase:
    rank, person = ranks
    site = SITES[person % len(SITES)]
    return PhantomCase(
        id=names[0],
        patient=names[1],
        label=label,
        site=site.name,
        day=person // len(SITES),
        spacing_um=site.spacing_um,
        tile_px=site.tile_px,
        size_um=size_um,
        nests=int(rng.integers(3, 9)) if label == POSITIVE else 0,
        # dealt out in turn, so that chance gives neither label more of them
        folds=(0, 1, 0, 2, 0)[rank % 5],
        pen=rank % 4 == 3,
    )
