"""A whole drawn cohort in a folder: slides, masks and the manifest."""

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2

from wholecase.core.files import atomic, write_text
from wholecase.core.lookup import look_up
from wholecase.core.progress import progress
from wholecase.phantoms.lesions import METASTASIS, NEST, Pattern
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
        for _ in _drawn(partial(_draw_one, folder, seed, disease), planned, workers):
            advance()
    rows = [_row(case, disease) for case in planned]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    write_text(folder / "cohort.csv", text.getvalue())
    return folder / "cohort.csv"


def _drawn(
    draw: Callable[[PhantomCase], str], planned: tuple[PhantomCase, ...], workers: int
) -> Iterator[str]:
    if workers <= 1:
        yield from map(draw, planned)
        return
    # spawned, as a forked copy of a process with threads may hang; one thread each
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    )
    with pool:
        yield from pool.map(draw, planned)


def _draw_one(folder: Path, seed: int, disease: Disease, case: PhantomCase) -> str:
    drawn = draw_slide(case, seed, disease.pattern)
    row = dict(zip(COLUMNS, _row(case, disease), strict=True))
    write_pyramid(
        folder / row["path"], drawn.pixels, spacing_um=case.spacing_um, tile_px=case.tile_px
    )
    if row["mask"]:
        with atomic(folder / row["mask"]) as neighbour:
            cv2.imwrite(str(neighbour), drawn.mask)
    return case.id


def _row(case: PhantomCase, disease: Disease) -> tuple[str, ...]:
    mask = f"masks/{case.id}.png" if case.nests else ""
    path = f"slides/{case.id}.tif"
    label = disease.positive if case.label == POSITIVE else disease.negative
    return (case.id, case.patient, path, label, "slide", case.site, mask)
