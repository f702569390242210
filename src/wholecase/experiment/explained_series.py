"""What the answer to a series rests on, as pictures and as a table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wholecase.answer import (
    leading_slices,
    pixel_um,
    read_slices,
    save_picture,
    slice_maps,
    told,
    within,
)
from wholecase.assemble import shades_of
from wholecase.cohort import Case
from wholecase.core.files import safe_name
from wholecase.explain import (
    Evidence,
    SliceSaid,
    class_shown,
    enlarged,
    leading_sheet,
    series_sheet,
    slices_said,
    thinned,
)
from wholecase.explain.series_sheet import CELL_PX
from wholecase.recipes import Recipe
from wholecase.runs import write_rows

LONGEST_PX = 1024
COLUMNS = ("rank", "slice", "of", "series", "position_mm", "probability", "weight")


def draw_slices(case: Case, evidence: Evidence, out: Path, recipe: Recipe | None) -> Iterator[Path]:
    """The slices that decide with their maps, a sheet of all slices, and a table of them.

    A slice that cannot be read is left out of the pictures.
    """
    name, said = safe_name(case.id), slices_said(evidence)
    shades = None if recipe is None else shades_of(recipe)
    leading, shown = leading_slices(evidence), thinned(said)
    sides = {one.index: CELL_PX for one in shown} | {one.index: LONGEST_PX for one in leading}
    pixels = read_slices(case, evidence, sides, shades)
    leading, shown = ([one for one in some if one.index in pixels] for some in (leading, shown))
    large = [(one, _with_maps(pixels[one.index], evidence, one)) for one in leading]
    if large:
        um = pixel_um(evidence, max(large[0][1][0].shape[:2]))
        title = ", ".join([f"{case.id}: slice", *evidence.maps])
        save_picture(out / f"{name}-deciding.png", leading_sheet(title, large, um))
        yield out / f"{name}-deciding.png"
        cells = [(one, within(pixels[one.index], CELL_PX)) for one in shown]
        title = f"{case.id}: {len(shown)} of {len(said)} slices"
        of_class = _class(evidence, recipe)
        sheet = series_sheet(title, cells, of_class, pixel_um(evidence, CELL_PX))
        save_picture(out / f"{name}-series.png", sheet)
        yield out / f"{name}-series.png"
    _write_slices(out / f"{name}-slices.csv", evidence)
    yield out / f"{name}-slices.csv"


def _with_maps(pixels: np.ndarray, evidence: Evidence, one: SliceSaid) -> list[np.ndarray]:
    maps = slice_maps(pixels, evidence, one.index) if one.decides else {}
    return [enlarged(pixels), *maps.values()]


def _class(evidence: Evidence, recipe: Recipe | None) -> str:
    if recipe is None:
        return "the class"
    return recipe.cohort.groups[class_shown(evidence)][0]


def _write_slices(path: Path, evidence: Evidence) -> None:
    rows = sorted((told(one) for one in slices_said(evidence)), key=lambda row: row["rank"])
    write_rows(path, COLUMNS, rows)
