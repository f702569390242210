"""One drawn slide, from its plan to pixels and mask."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from wholecase.core.seeds import generator
from wholecase.phantoms import artefacts
from wholecase.phantoms.fields import SKETCH, draw_fibres
from wholecase.phantoms.ground import draw_ground
from wholecase.phantoms.lesions import (
    NEST,
    Film,
    Lesion,
    Pattern,
    draw_lesion,
    mask_of,
    place_lesions,
)
from wholecase.phantoms.nuclei import KINDS, draw_stamps
from wholecase.phantoms.plan import PhantomCase
from wholecase.phantoms.stains import draw_stain, transmit
from wholecase.phantoms.tissue import Plot, cover_of, draw_tissue


@dataclass(frozen=True)
class Drawn:
    """A slide before it is written."""

    pixels: UInt8[np.ndarray, "H W 3"]
    mask: UInt8[np.ndarray, "h w"]
    """255 where a nest lies, one pixel for 16 x 16 of the slide; all 0 in a negative case."""
    lesions: tuple[Lesion, ...]


def draw_slide(case: PhantomCase, seed: int, nest: Pattern = NEST) -> Drawn:
    """The slide of one case; all chance comes from the seed and the case's id.

    `nest` is how the cells of the nests look.
    """
    scale = 0.5 / case.spacing_um
    shape = _shape(generator(seed, case.id, "shape"), case)
    small = (-(-shape[0] // SKETCH), -(-shape[1] // SKETCH))
    ground = draw_ground(generator(seed, case.id, "ground"), small, scale)
    fibres = draw_fibres(generator(seed, case.id, "fibres"), shape, scale)
    cells = generator(seed, case.id, "nuclei")
    stamps = {name: draw_stamps(cells, kind, 2 * scale) for name, kind in KINDS.items()}
    plot = Plot(ground, fibres, stamps, shape, scale)
    planes = draw_tissue(generator(seed, case.id, "tissue"), plot)
    origins = ((case.site,), (case.site, case.day), (case.id,))
    stain = draw_stain(*(generator(seed, "stain", *origin) for origin in origins))

    chance = generator(seed, case.id, "lesions")
    lesions = place_lesions(chance, ground.tissue, scale, nests=case.nests, nest=nest)
    amounts = (0.33 + 0.02 * chance.normal(), 0.21 + 0.012 * chance.normal())
    film = Film(stain, amounts, scale, fibres.texture)
    for lesion in lesions:
        draw_lesion(chance, planes, lesion, stamps, film)

    cover = cover_of(plot)
    chance = generator(seed, case.id, "artefacts")
    artefacts.uneven(chance, planes, cover, scale)
    for _ in range(case.folds):
        artefacts.fold(chance, planes, ground.tissue, scale)
    pixels = artefacts.light(chance, transmit(planes, stain), scale)
    if case.pen:
        pixels = artefacts.pen(chance, pixels, ground.tissue)
    return Drawn(pixels, mask_of(lesions, shape, cover), tuple(lesions))


def _shape(rng: np.random.Generator, case: PhantomCase) -> tuple[int, int]:
    wide, high = case.size_um
    stretch = rng.uniform(0.92, 1.12, 2)
    return int(high * stretch[0] / case.spacing_um), int(wide * stretch[1] / case.spacing_um)
