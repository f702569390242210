"""A whole drawn cohort in a folder: slides, masks and the manifest."""

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2

from wholecase.core.files import atomic, write_text
from wholecase.core.progress import progress
from wholecase.phantoms.plan import PhantomCase, plan_cohort
from wholecase.phantoms.pyramid import write_pyramid
from wholecase.phantoms.slide import draw_slide

COLUMNS = ("case_id", "patient_id", "path", "label", "kind", "site", "mask")
SIZE_UM = (2250.0, 1600.0)
"""A piece of glass on which about a hundred tiles of 112 µm hold tissue."""


def draw_slides(
    folder: Path,
    *,
    cases: int,
    seed: int,
    workers: int = 1,
    size_um: tuple[float, float] = SIZE_UM,
) -> Path:
    """Draw a cohort of H&E-like slides and return its manifest, `folder/cohort.csv`.

    Half of the cases are `mutated`: their slides carry three to eight nests of large atypical
    cells, painted white in `masks/<case>.png`. All slides, of either label, carry look-alikes of
    the same size and mean colour, folds and pen marks. The same seed gives the same bytes,
    whatever the number of workers; the manifest is written last.

    Raises:
        RecipeError: fewer than two cases, or slides too small for their lesions.
    """
    planned = plan_cohort(cases, seed, size_um)
    with progress("draw slides", len(planned), "slides") as advance:
        for _ in _drawn(folder, planned, seed, workers):
            advance()
    rows = [_row(case) for case in planned]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    write_text(folder / "cohort.csv", text.getvalue())
    return folder / "cohort.csv"


def _drawn(
    folder: Path, planned: tuple[PhantomCase, ...], seed: int, workers: int
) -> Iterator[str]:
    if workers <= 1:
        yield from (_draw_one(folder, case, seed) for case in planned)
        return
    # spawned, as a forked copy of a process with threads may hang; one thread each
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    )
    with pool:
        yield from pool.map(_draw_one, [folder] * len(planned), planned, [seed] * len(planned))


def _draw_one(folder: Path, case: PhantomCase, seed: int) -> str:
    drawn = draw_slide(case, seed)
    row = dict(zip(COLUMNS, _row(case), strict=True))
    write_pyramid(
        folder / row["path"], drawn.pixels, spacing_um=case.spacing_um, tile_px=case.tile_px
    )
    if row["mask"]:
        with atomic(folder / row["mask"]) as neighbour:
            cv2.imwrite(str(neighbour), drawn.mask)
    return case.id


def _row(case: PhantomCase) -> tuple[str, ...]:
    mask = f"masks/{case.id}.png" if case.nests else ""
    path = f"slides/{case.id}.tif"
    return (case.id, case.patient, path, case.label, "slide", case.site, mask)
