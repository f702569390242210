"""The cases that runs decide differently, with their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.core.errors import WholecaseError
from wholecase.report.compare import Comparison, Judged
from wholecase.report.pictures import PAGE_BYTES, address_of, jpeg
from wholecase.report.records import Prediction
from wholecase.report.table_cells import inside, read_object
from wholecase.runs import manifest_of

if TYPE_CHECKING:
    from wholecase.cohort import Case

SHOWN = 120
"""Disputed cases on the page."""
MOST_BYTES = 40_000
"""For one picture of a case."""
PICTURE_PX = 480


@dataclass(frozen=True)
class Said:
    """What one run says of a disputed case."""

    run: str
    prediction: Prediction
    bars: tuple[tuple[str, float], ...]
    """Class name and probability, as `bars` of the page draws them."""
    looked: str
    """Where it looked, as a data URI; empty where the run drew nothing."""
    threshold: float | None = None


@dataclass(frozen=True)
class Disputed:
    """A case that not all runs decide alike."""

    case: str
    patient: str
    label: str
    picture: str
    """The case itself, as a data URI; empty where nothing can be drawn."""
    said: tuple[Said, ...]


def disputed_cases(comparison: Comparison) -> list[Disputed]:
    """The first of them, `SHOWN` at most, those farthest apart first."""
    numbers = comparison.disputed[:SHOWN]
    runs = comparison.runs
    drawn = [read_object(run.folder.pictures) for run in runs]
    each = min(PAGE_BYTES // max(len(numbers) * (len(runs) + 1), 1), MOST_BYTES)
    known = _cases(runs) if numbers else {}
    return [_disputed(runs, number, drawn, (known, each)) for number in numbers]


def _disputed(
    runs: tuple[Judged, ...],
    number: int,
    drawn: list[dict[str, object]],
    source: "tuple[Mapping[str, Case], int]",
) -> Disputed:
    row, (known, each) = runs[0].rows[number], source
    case = row["case_id"]
    entries = [one.get(case) for one in drawn]
    there = [entry if isinstance(entry, Mapping) else {} for entry in entries]
    files = [_file(run, entry.get("thumbnail")) for run, entry in zip(runs, there, strict=True)]
    picture = next((p for file in files if (p := jpeg(file, PICTURE_PX, each))), "")
    return Disputed(
        case=case,
        patient=row["patient_id"],
        label=row["label"],
        picture=picture or (_drawn(known[case], each) if case in known else ""),
        said=tuple(
            _said(run, number, jpeg(_file(run, _looked(entry)), PICTURE_PX, each))
            for run, entry in zip(runs, there, strict=True)
        ),
    )


def _looked(entry: Mapping[str, object]) -> object:
    """The heatmap of a case, else the first of the maps of a model that sees pixels."""
    maps = entry.get("maps")
    inside_it = maps if isinstance(maps, Mapping) else {}
    ordered = [inside_it.get("grad-cam"), *inside_it.values()]
    return entry.get("heatmap") or next((path for path in ordered if path), None)


def _file(run: Judged, path: object) -> Path | None:
    return inside(run.folder.root, path)


def _said(run: Judged, number: int, looked: str) -> Said:
    row, shares = run.rows[number], run.scores.probabilities[number].tolist()
    prediction = Prediction(
        case=row["case_id"],
        patient=row["patient_id"],
        fold=int(row["fold"]),
        label=row["label"],
        probabilities=tuple(shares),
        decision=row["decision"],
    )
    pairs = tuple(zip(run.classes, shares, strict=True))
    return Said(run.name, prediction, pairs[1:] if len(pairs) == 2 else pairs, looked)


def _cases(runs: tuple[Judged, ...]) -> "dict[str, Case]":
    """The cases of the cohort by id, where a run knows where it is."""
    from wholecase.cohort import read_cohort

    for run in runs:
        try:
            return {case.id: case for case in read_cohort(manifest_of(run.folder), None).cases}
        except (WholecaseError, KeyError):  # a run without a cohort, or one that has moved
            continue
    return {}


def _drawn(case: "Case", most_bytes: int) -> str:
    """The first image of the case, small; no text where it cannot be drawn."""
    from PIL import Image

    from wholecase.sources import as_picture, open_source, thumbnail

    image = case.images[0]
    if image.kind == "features":
        return ""
    try:
        with open_source(image.path, image.kind, image.mpp, image.window) as source:
            pixels = as_picture(thumbnail(source, PICTURE_PX).pixels, source.kind)
    except (WholecaseError, OSError):
        return ""
    return address_of(Image.fromarray(pixels), most_bytes)
