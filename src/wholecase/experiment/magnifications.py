"""Who has images at which magnification, as `check` counts them, of the images that were used."""

from collections.abc import Iterator
from itertools import groupby

from wholecase.audit import Scales, aligned, counted_for, power_name, power_told, scales_of
from wholecase.cohort import Cohort, Split
from wholecase.extract import Extraction
from wholecase.runs import RunFolder, read_rows, write_rows

HEADS = ("value", "patients", "complete")


def write_magnifications(
    run: RunFolder, cohort: Cohort, extraction: Extraction, split: Split
) -> None:
    """A row for all images, then for each class, counted column, further label and test fold.

    The manifest's column `magnification` tells it, or its `mpp` of slides and tiles. Nothing is
    written where neither does.
    """
    used = [
        (case, image, power_told(image, image.mpp))
        for case in cohort.cases
        for image in case.images
        if extraction.has(image)
    ]
    scales = scales_of(cohort, used, split)
    run.magnifications.unlink(missing_ok=True)
    if scales.rows:
        names = [power_name(power) for power in scales.powers]
        write_rows(run.magnifications, ("counted", *HEADS, *names), _rows(scales, names))


def _rows(scales: Scales, names: list[str]) -> Iterator[dict[str, object]]:
    for row in scales.rows:
        yield {
            "counted": counted_for(row.what),
            "value": row.value,
            "patients": row.patients,
            "complete": row.complete,
            **dict(zip(names, row.images, strict=True)),
        }


def magnification_lines(run: RunFolder) -> Iterator[str]:
    """The same in aligned lines, a table for each thing that is counted."""
    rows = read_rows(run.magnifications) if run.magnifications.is_file() else []
    for counted, group in groupby(rows, key=lambda row: row["counted"]):
        own = list(group)
        names = [name for name in own[0] if name not in {"counted", *HEADS}]
        heads = (counted, "patients", "with all", *names)
        yield from aligned([heads, *([row[key] for key in (*HEADS, *names)] for row in own)])
