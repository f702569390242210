"""What a case's answer rests on, drawn for people and for QuPath."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from wholecase.answer import (
    heat,
    is_series,
    joint_evidence,
    map_pictures,
    read_tiles,
    save_picture,
    scales_picture,
)
from wholecase.assemble import divisible, labels_of, shades_of
from wholecase.cohort import Case, read_cohort
from wholecase.core.errors import RunError
from wholecase.core.files import safe_name, write_text
from wholecase.experiment.explained_series import draw_slices
from wholecase.explain import (
    AUTO,
    Evidence,
    QuPathImage,
    ShownTile,
    attention_geojson,
    contact_sheet,
    least_instances,
    qupath_image,
    read_evidence,
    top_instances,
    viewer_origin,
)
from wholecase.recipes import Recipe, read_recipe
from wholecase.runs import RunFolder, manifest_of, read_rows, voters, voting_runs
from wholecase.sources import ImageSource, open_source, split_index

SHEET_TILES = 12
"""On a contact sheet: so many of the most attended tiles, and of the least."""


def recipe_of(root: Path) -> Recipe:
    """What a run was made by; of a vote its first run."""
    folder = RunFolder(root)
    runs = voting_runs(folder) if folder.facts.is_file() else ()
    return recipe_of(runs[0].folder.root) if runs else read_recipe(str(folder.recipe))


def stored_answer(root: Path, case: str) -> tuple[Case, Evidence]:
    """One of `stored_answers`."""
    return next(stored_answers(root, [case]))


def stored_answers(root: Path, cases: Sequence[str]) -> Iterator[tuple[Case, Evidence]]:
    """Cases of the run with the evidence of the fold model that never saw their patient, in turn.

    Raises:
        RunError: there is no such case, the manifest is gone or changed, or, in its turn, the
            evidence of one is gone.
    """
    folder = RunFolder(root)
    recipe = recipe_of(root)
    cohort = divisible(recipe, read_cohort(manifest_of(folder), labels_of(recipe)))
    known = {case.id: case for case in cohort.cases}
    if (missing := next((case for case in cases if case not in known), None)) is not None:
        raise RunError(f"{root} has no case {missing!r}; its cases are listed in {folder.cases}")
    return ((known[case].judged, _stored_evidence(folder, case)) for case in cases)


def _stored_evidence(folder: RunFolder, case: str) -> Evidence:
    """Of a vote that of the runs which voted on the case."""
    runs = voting_runs(folder)
    if not runs:
        return read_evidence(folder.evidence(case))
    rows = read_rows(folder.predictions)
    number = next((int(row["fold"]) for row in rows if row["case_id"] == case), None)
    if number is None:
        raise RunError(f"{folder.root} did not judge case {case!r}; see {folder.predictions}")
    inside = voters(folder, number)
    return joint_evidence(
        [_stored_evidence(run.folder, case) for run in runs if run.name in inside]
    )


def draw_answer(
    case: Case,
    evidence: Evidence,
    out: Path,
    *,
    recipe: Recipe | None = None,
    scale: str,
    longest_px: int,
) -> Iterator[Path]:
    """Per image a heatmap, a contact sheet, its tiles for QuPath, and a table of their weights.

    Of feature files, of which there is nothing to draw, the last two. Of a model that sees pixels
    also where it looked within the instance that weighs most, and at each magnification. A series
    is drawn by its slices. The `recipe` of the run tells the window and the names of the classes.
    """
    if is_series(case, evidence):
        yield from draw_slices(case, evidence, out, recipe)
        return
    shades = None if recipe is None else shades_of(recipe)
    if (scales := scales_picture(case, evidence, shades)) is not None:
        path = out / f"{safe_name(case.id)}-magnifications.png"
        save_picture(path, scales)
        yield path
    for number, name in _attended(case, evidence):
        image, here = case.images[number], evidence.of_image(number)
        origin_px = (0, 0)
        if image.kind != "features":
            with open_source(image.path, image.kind, image.mpp, image.window) as source:
                pictures = map_pictures(source, here, shades)
                if len(here.weights) > 1 or not pictures:
                    painted = heat(source, here, longest_px=longest_px, scale=scale)
                    pictures["heatmap"] = painted
                    pictures["tiles"] = _sheet(name, source, evidence, number)
                origin_px = viewer_origin(source)
            for what, pixels in pictures.items():
                save_picture(out / f"{name}-{what}.png", pixels)
                yield out / f"{name}-{what}.png"
        geojson = attention_geojson(here, scale=scale, origin_px=origin_px)
        write_text(out / f"{name}-attention.geojson", geojson)
        yield out / f"{name}-attention.geojson"
        _write_instances(out / f"{name}-instances.csv", here)
        yield out / f"{name}-instances.csv"


def qupath_images(case: Case, evidence: Evidence, *, scale: str = AUTO) -> Iterator[QuPathImage]:
    """The case's images as entries of a QuPath project; those that QuPath cannot open are out."""
    for number, name in _attended(case, evidence):
        image = case.images[number]
        if image.kind in {"features", "ct"} or split_index(image.path) is not None:
            continue
        with open_source(image.path, image.kind, image.mpp, image.window) as source:
            yield qupath_image(name, case.id, source, evidence.of_image(number), scale=scale)


def _attended(case: Case, evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Number and file name of the images that instances were cut from."""
    there = set(evidence.image.tolist())
    for number in range(len(case.images)):
        if number in there:
            yield number, safe_name(f"{case.id}-{number}" if len(case.images) > 1 else case.id)


def _sheet(name: str, source: ImageSource, evidence: Evidence, number: int) -> np.ndarray:
    """Ranks and averages are of the case, since the weights of its images add up to 1."""
    weights = evidence.weights.mean(1).astype(np.float64)
    order = top_instances(weights, len(weights))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    here = np.flatnonzero((evidence.image == number) & evidence.box_px[:, 2:].all(axis=1))
    most = here[top_instances(weights[here], SHEET_TILES)].tolist()
    least = here[least_instances(weights[here], SHEET_TILES, apart=SHEET_TILES)].tolist()
    pixels = read_tiles(source, evidence, [*most, *least])
    mean = weights.mean()

    def shown(wanted: list[int]) -> list[ShownTile]:
        there = [index for index in wanted if index in pixels]
        times = [float(weights[index] / mean) if mean else 0.0 for index in there]
        return [
            ShownTile(pixels[index], int(rank[index]), ratio)
            for index, ratio in zip(there, times, strict=True)
        ]

    groups = [("most attended", shown(most)), ("least attended", shown(least))]
    title = f"{name}: {len(here)} of the case's {len(weights)} tiles"
    return contact_sheet(title, groups, _tile_um(source, evidence.box_px[here]))


def _tile_um(source: ImageSource, box_px: np.ndarray) -> float | None:
    """Width of the tiles, where it is known and the same for all."""
    if source.spacing is None or not len(box_px) or np.ptp(box_px[:, 2]) > 1:
        return None
    return float(box_px[0, 2]) * source.spacing.um


def _write_instances(path: Path, evidence: Evidence) -> None:
    weights = evidence.weights.mean(1)
    said = evidence.logits
    logits = [f"evidence_{c}" for c in range(said.shape[1])] if said.shape[1] > 1 else ["evidence"]
    lines = [",".join(["x_px,y_px,width_px,height_px,weight", *logits[: said.shape[1]]])]
    for i in np.argsort(-weights, kind="stable"):
        cells = [*(str(v) for v in evidence.box_px[i].tolist()), f"{weights[i]:.8g}"]
        lines.append(",".join([*cells, *(f"{value:.8g}" for value in said[i])]))
    write_text(path, "\n".join(lines) + "\n")
