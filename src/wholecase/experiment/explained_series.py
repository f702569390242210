"""What the answer to a series rests on, as pictures and as a table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wholecase.answer import (
    leading_slices,
    pixel_um,
    read_slices,
    save_picture,
    series_picture,
    slice_maps,
    told,
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
    slices_said,
)
from wholecase.recipes import Recipe
from wholecase.runs import write_rows

LONGEST_PX = 1024
COLUMNS = ("rank", "slice", "of", "series", "position_mm", "probability", "weight")


def draw_slices(case: Case, evidence: Evidence, out: Path, recipe: Recipe | None) -> Iterator[Path]:
    """The slices that decide with their maps, a sheet of all slices, and a table of them.

    A slice that cannot be read is left out of the pictures.
    """
    name, shades = safe_name(case.id), None if recipe is None else shades_of(recipe)
    sides = dict.fromkeys((one.index for one in leading_slices(evidence)), LONGEST_PX)
    pixels = read_slices(case, evidence, sides, shades)
    there = [one for one in leading_slices(evidence) if one.index in pixels]
    if there:
        large = [(one, _with_maps(pixels[one.index], evidence, one)) for one in there]
        um = pixel_um(evidence, max(large[0][1][0].shape[:2]))
        title = ", ".join([f"{case.id}: slice", *evidence.maps])
        pictures = {
            "deciding": leading_sheet(title, large, um),
            "series": series_picture(case, evidence, shades, _class(evidence, recipe)),
        }
        for what, picture in pictures.items():
            save_picture(out / f"{name}-{what}.png", picture)
            yield out / f"{name}-{what}.png"
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
