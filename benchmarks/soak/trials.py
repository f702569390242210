"""One file through check and extract, and whether what came out is in the file."""

import functools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import series
import witness
from samples import Sample

from wholecase.assemble import check_recipe as build_all
from wholecase.audit import Finding, check_cohort, render_text
from wholecase.cohort import Cohort, read_cohort, read_leniently
from wholecase.cohort.identity import identity_key
from wholecase.core.errors import WholecaseError
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Extraction, Plan, decode, extract, table_lines
from wholecase.features import Bag
from wholecase.instances import Grid, Slices
from wholecase.recipes import read_recipe
from wholecase.sources import open_source

REFUSED, TOLD, RIGHT, WRONG = "refused", "told", "right", "WRONG"
EMPTY = ("", "null", "~", "Null", "NULL")
SIDE_PX, MOST_BOXES, CLOSE = 224, 12, 6.0
"""Tiles that are compared with the witness, and the mean difference of its decoder and filter."""


@dataclass(frozen=True)
class Verdict:
    """What became of one file."""

    outcome: str
    why: str = ""


@dataclass(frozen=True)
class Seen:
    """What check and extract said of one manifest."""

    problems: Counter[str]
    errors: tuple[str, ...]
    extraction: Extraction | None = None
    refusal: str = ""

    @property
    def bags(self) -> list[Bag]:
        done = self.extraction
        return [store.read(key) for store, key in done.bags.values()] if done else []


def judge(sample: Sample, file: Path, folder: Path, workers: int = 0) -> Verdict:
    """Through check and extract, and the verdict; what the toolkit should not raise, is raised."""
    if sample.read_as == "recipe":
        return of_recipe(file)
    if sample.read_as == "table":
        return of_table(file, through(file, "still", 0.5, folder / "store", workers))
    seen = seen_alone(sample, file, folder, workers)
    if seen.refusal:
        return Verdict(REFUSED, seen.refusal)
    sound = sound_of(sample)
    more = seen.problems - sound.problems
    told = more or seen.extraction.skipped or seen.extraction.notes != sound.extraction.notes
    wrong = _wrong(sample, file, seen)
    if not told and sample.kind == "jpeg" and not wrong:
        complaint = witness.picture(file)[1]
        wrong = complaint if complaint.startswith("Corrupt") else ""
    if wrong and not told:
        return Verdict(WRONG, wrong)
    return Verdict(TOLD, " ".join(more)) if told else Verdict(RIGHT)


def _wrong(sample: Sample, file: Path, seen: Seen) -> str:
    if sample.read_as == "ct":
        return series.wrong(file, sample.path)
    return (features_wrong if sample.read_as == "features" else pixels_wrong)(sample, file, seen)


def seen_alone(sample: Sample, file: Path, folder: Path, workers: int = 0) -> Seen:
    """One file as a cohort of its own."""
    manifest = folder / "cohort.csv"
    row = f'case,patient,"{file}",{sample.read_as},{sample.mpp}'
    manifest.write_text(f"case_id,patient_id,path,kind,mpp\n{row}\n", encoding="utf-8")
    seen = through(manifest, sample.read_as, sample.spacing_um, folder / "store", workers)
    if seen.extraction and not seen.refusal and seen.extraction.failures:
        return Seen(seen.problems, seen.errors, None, seen.extraction.failures[0].reason)
    return seen


@functools.cache
def sound_of(sample: Sample) -> Seen:
    """The same of the file before it was spoilt; its store stays for the comparison."""
    place = Path.cwd() / f"sound-{sample.kind}-{sample.path.name}"
    place.mkdir()
    return seen_alone(sample, sample.path, place)


def through(manifest: Path, kind: str, spacing_um: float, store: Path, workers: int) -> Seen:
    """What `check` and `extract` do, less the printing."""
    encoder = EncoderSpec("stored" if kind == "features" else "colour")
    plan = Plan(Grid(SIDE_PX, spacing_um, {"name": "classical"}), encoder, store)
    problems: Counter[str] = Counter()
    errors: tuple[str, ...] = ()
    try:
        read = read_leniently(manifest, None)
        audit = check_cohort(read.cohort, mistakes=read.mistakes, workers=workers)
        render_text(audit)
        problems.update(_problem(one, read.cohort) for one in audit.findings)
        errors = tuple(one.what for one in audit.findings if one.severity == "error")
        cohort = read_cohort(manifest, None)
        if kind == "ct":
            done = decode(cohort, Slices(SIDE_PX), store, Place(workers=workers))
        else:
            done = extract(cohort, plan, Place(workers=workers))
        list(table_lines(done))
    except WholecaseError as error:
        return Seen(problems, errors, None, str(error) or "nothing said")
    return Seen(problems, errors, done)


def _problem(finding: Finding, cohort: Cohort) -> str:
    """The same wherever the file lies."""
    what = f"{finding.problem}: {finding.what}"
    for case in cohort.cases:
        for image in case.images:
            what = what.replace(str(image.path), image.path.name)
    return what[:200]


def pixels_wrong(sample: Sample, file: Path, seen: Seen) -> str:
    """Whether a tile or its place is neither the sound file's nor the witness's."""
    (bag,), (other,) = seen.bags, sound_of(sample).bags
    same = {tuple(box): row for box, row in zip(other.box_px.tolist(), other.values, strict=True)}
    strange = [
        box
        for box, row in zip(bag.box_px.tolist(), bag.values, strict=True)
        if not np.array_equal(row, same.get(tuple(box)))
    ]
    spacing, before = (one.facts.get("spacing_um") for one in (bag, other))
    if spacing != before and str(float(spacing or 0))[:6] not in _texts(file):
        return f"spacing {spacing} instead of {before}"
    if not np.isfinite(bag.values).all():
        return "features that are no numbers"
    return _boxes_wrong(sample, file, strange[:MOST_BOXES]) if strange else ""


def _boxes_wrong(sample: Sample, file: Path, boxes: list[list[int]]) -> str:
    found = witness.pixels_of(file, sample.kind)
    mpp = float(sample.mpp) if sample.mpp else None
    with open_source(file, sample.read_as, mpp) as source:
        width, height = source.levels[0].width_px, source.levels[0].height_px
        for x, y, across, down in boxes:
            if x < 0 or y < 0 or x + across > width or y + down > height:
                return f"tile at {x}, {y} lies outside of {width} x {height} px"
            if not found:
                return "read, where a second reader cannot, and not as before"
            pixels = _shrunk(source.read(x, y, across, down))
            theirs = [_shrunk(one[y : y + down, x : x + across]) for one in found]
            far = min(float(np.abs(pixels - one).mean()) for one in theirs)
            if far > CLOSE:
                return f"tile at {x}, {y} differs by {far:.1f} from a second reader's"
    return ""


def _shrunk(region: np.ndarray) -> np.ndarray:
    if region.size == 0:
        return np.full((64, 64, 3), 1e4)
    colours = np.broadcast_to(region.reshape(*region.shape[:2], -1), (*region.shape[:2], 3))
    return cv2.resize(np.ascontiguousarray(colours), (64, 64), interpolation=cv2.INTER_AREA).astype(
        float
    )


def _texts(file: Path) -> str:
    # a spacing that is written in the file as text, as Aperio and DICOM do
    return file.read_bytes().decode("latin-1")


def features_wrong(sample: Sample, file: Path, seen: Seen) -> str:
    """Whether a number or place is neither the sound file's nor the witness's."""
    (bag,), (other,) = seen.bags, sound_of(sample).bags
    if _equal(bag, other):
        return ""
    found = witness.features(file)
    if found is None:
        return "read, where a second reader cannot, and not as before"
    rows, corners = found
    with np.errstate(all="ignore"):
        rows = rows.astype(np.float32)
    kept = (rows != 0).any(axis=1)
    if not np.array_equal(bag.values, rows[kept]):
        return "numbers that a second reader does not find"
    if corners is None or not bag.box_px.any() or len(corners) != len(rows):
        return ""
    same = np.array_equal(bag.box_px[:, :2], np.rint(corners[kept]).astype(np.int64))
    return "" if same else "places that a second reader does not find"


def _equal(one: Bag, two: Bag) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)
        for name in ("values", "box_px", "position_um", "scale")
    )


def of_table(file: Path, seen: Seen) -> Verdict:
    """Whether each image has the patient, case and label of its row, and no row is lost untold."""
    rows = witness.table(file.read_bytes())
    try:
        cohort = read_cohort(file, None)
    except WholecaseError as error:
        return Verdict(REFUSED, str(error))
    if rows is None:
        return Verdict(WRONG, "a table that a second reader cannot read")
    images = [(case, image) for case in cohort.cases for image in case.images]
    if len(images) != len(rows):
        return Verdict(WRONG, f"{len(images)} images of {len(rows)} rows")
    held = Counter(_row_key(row) for row in _with_names(rows))
    for case, image in images:
        told = (case.id, case.patient, image.path.name, case.label or "")
        if not held[tuple(identity_key(text) for text in told)]:
            return Verdict(WRONG, f"{told} is in no row")
    if seen.refusal:
        return Verdict(REFUSED, seen.refusal)
    return Verdict(TOLD, " ".join(seen.problems)) if seen.problems else Verdict(RIGHT)


def _with_names(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    # columns in other capitals or with other dashes are read, too
    return [{k.casefold().replace(" ", "_"): v for k, v in row.items()} for row in rows]


def _row_key(row: Mapping[str, str]) -> tuple[str, ...]:
    case, patient = row.get("case_id", ""), row.get("patient_id", "")
    patient = case if patient.casefold() == "unknown" else patient
    name = Path(row.get("path", "").replace("\\", "/")).name
    return tuple(identity_key(text) for text in (case, patient, name, row.get("label", "")))


def of_recipe(file: Path) -> Verdict:
    """Whether the recipe says what the text says, and can be built."""
    try:
        found = read_recipe(str(file))
        build_all(found, weights=False)
    except WholecaseError as error:
        return Verdict(REFUSED, str(error))
    said, told = witness.recipe(file.read_bytes()), found.model_dump(mode="json", by_alias=True)
    wrong = next(_differences(said, told, ()), None)
    return Verdict(WRONG, wrong) if wrong else Verdict(RIGHT)


def _differences(said: Any, told: Any, at: tuple[str, ...]) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(told, dict):
        for key, value in said.items():
            if key not in told and value not in EMPTY:
                yield f"{'.'.join((*at, key))} is lost"
            yield from _differences(value, told.get(key), (*at, key))
    elif isinstance(said, list) and isinstance(told, list) and len(said) == len(told):
        for one, other in zip(said, told, strict=True):
            yield from _differences(one, other, at)
    elif not _same(said, told):
        yield f"{'.'.join(at)} is {told!r} instead of {said!r}"


def _same(said: Any, told: Any) -> bool:
    if isinstance(told, dict):  # a name alone is short for a section with it
        return told.get("name") == said
    if told is None:
        return said in EMPTY
    if isinstance(told, bool):
        return str(said).casefold() == str(told).casefold()
    if isinstance(told, int | float):
        try:
            return math.isclose(float(said), told)
        except (TypeError, ValueError):
            return False
    # files are resolved against the recipe's folder
    return str(said) == str(told) or Path(str(told)).name == Path(str(said)).name
