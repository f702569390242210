"""A whole drawn cohort in a folder: slides, masks and the manifest."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from wholecase.core.files import atomic
from wholecase.core.lookup import look_up
from wholecase.core.progress import progress
from wholecase.phantoms.lesions import METASTASIS, NEST, Pattern
from wholecase.phantoms.making import drawn, write_table
from wholecase.phantoms.plan import NEGATIVE, POSITIVE, PhantomCase, plan_cohort
from wholecase.phantoms.pyramid import write_pyramid
from wholecase.phantoms.slide import draw_slide

COLUMNS = ("case_id", "patient_id", "path", "label", "kind", "site", "mask")
SIZE_UM = (2250.0, 1600.0)
"""A piece of glass on which about a hundred tiles of 112 µm hold tissue."""


@dataclass(frozen=True)
class Disease:
    """What the slides of positive cases carry, and what the two labels are called."""

    pattern: Pattern
    positive: str
    negative: str


DISEASES = {
    "nest": Disease(NEST, POSITIVE, NEGATIVE),
    "metastasis": Disease(METASTASIS, "tumor", "normal"),
}
"""`metastasis` is what drawn patches show, too."""


def draw_slides(
    folder: Path,
    *,
    cases: int,
    seed: int,
    workers: int = 1,
    size_um: tuple[float, float] = SIZE_UM,
    lesion: str = "nest",
) -> Path:
    """Draw a cohort of H&E-like slides and return its manifest, `folder/cohort.csv`.

    Half of the cases are positive: their slides carry three to eight lesions of large atypical
    cells (`mutated`) or of metastatic ones (`tumor`, as in drawn patches), painted white in
    `masks/<case>.png`. All slides, of either label, carry look-alikes of the same size and mean
    colour, folds and pen marks. The same seed gives the same bytes, whatever the number of workers;
    the manifest is written last.

    Raises:
        RecipeError: fewer than two cases, slides too small for their lesions, no such lesion.
    """
    disease = look_up(DISEASES, lesion, "drawn lesion")
    planned = plan_cohort(cases, seed, size_um)
    with progress("draw slides", len(planned), "slides") as advance:
        for _ in drawn(partial(_draw_one, folder, seed, disease), planned, workers):
            advance()
    return write_table(folder / "cohort.csv", COLUMNS, (_row(case, disease) for case in planned))


def _draw_one(folder: Path, seed: int, disease: Disease, case: PhantomCase) -> str:
    made = draw_slide(case, seed, disease.pattern)
    row = dict(zip(COLUMNS, _row(case, disease), strict=True))
    write_pyramid(
        folder / row["path"], made.pixels, spacing_um=case.spacing_um, tile_px=case.tile_px
    )
    if row["mask"]:
        with atomic(folder / row["mask"]) as neighbour:
            cv2.imwrite(str(neighbour), made.mask)
    return case.id


def _row(case: PhantomCase, disease: Disease) -> tuple[str, ...]:
    mask = f"masks/{case.id}.png" if case.nests else ""
    path = f"slides/{case.id}.tif"
    label = disease.positive if case.label == POSITIVE else disease.negative
    return (case.id, case.patient, path, label, "slide", case.site, mask)
