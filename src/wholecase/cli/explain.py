"""`wholecase explain`: where a run's models look."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from wholecase.cli.loading import load
from wholecase.cli.options import Device, MovedWeights, StoreFolder, Workers
from wholecase.core.visible import visible

if TYPE_CHECKING:  # the types would load the whole house at start
    from wholecase.cohort import Case
    from wholecase.explain import QuPathImage


Scale = Literal["auto", "evidence", "times", "rank", "absolute"]


def explain(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *images: Annotated[Path, Parameter(help="new images, each a case of its own")],
    out: Annotated[Path, Parameter(help="folder for the heatmaps")],
    cohort: Annotated[Path | None, Parameter(help="or a manifest of new cases")] = None,
    case: Annotated[
        list[str] | None, Parameter(help="or cases of the run by id, each after its own --case")
    ] = None,
    scale: Annotated[Scale, Parameter(help="of the colours; rank, absolute: of one case")] = "auto",
    longest: Annotated[int, Parameter(help="longer side of the picture in pixels")] = 2048,
    qupath: Annotated[Path | None, Parameter(help="of a QuPath project, new or not")] = None,
    weights: MovedWeights = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Draw attention: of new images by all fold models, of the run's own cases by its fold's."""
    from wholecase.cohort import refuse_no_manifest

    refuse_no_manifest(cohort)
    _refuse_both(case, beside=bool(images) or cohort is not None)
    load("wholecase.experiment")
    from wholecase.assemble import place_of
    from wholecase.cli.lines import failure_lines, novelty_lines
    from wholecase.core.files import refuse_unwritable
    from wholecase.experiment import (
        ask,
        draw_answer,
        nearest_lines,
        question_of,
        qupath_images,
        recipe_of,
        stored_answers,
        stored_nearest_lines,
    )
    from wholecase.explain import Evidence, QuPathImage, refuse_project

    if qupath is not None:
        refuse_project(qupath)
    refuse_unwritable(out / "heatmap.png")
    entries: list[QuPathImage] = []
    recipe = recipe_of(run)

    def show(case: "Case", evidence: Evidence | None) -> None:
        assert evidence is not None, "asked for"  # noqa: S101
        for path in draw_answer(
            case, evidence, out, recipe=recipe, scale=scale, longest_px=longest
        ):
            print(path)
        if qupath is not None:
            entries.extend(qupath_images(case, evidence, scale=scale))

    if case is not None:
        for known, evidence in stored_answers(run, list(dict.fromkeys(case))):
            show(known, evidence)
            _print_lines(map(visible, stored_nearest_lines(run, known.id)))
        _write_project(qupath, entries)
        return 0
    asked = ask(
        question_of(run, images, cohort),
        weights=weights,
        store=store,
        place=place_of(device, workers),
    )
    for one in asked.judgements:
        probability = one.shares[one.label]
        spread = f"(fold models +- {one.spread:.3f})"
        print(visible(f"{one.case.id}: {one.label} {probability:.3f} {spread}"))
        _print_lines(novelty_lines([one]))
        _print_lines(map(visible, nearest_lines(run, one)))
        show(one.case, one.evidence)
    _write_project(qupath, entries)
    _print_lines(f"note: {note}" for note in asked.notes)
    failures = asked.failures
    _print_lines(failure_lines([(str(f.path), f.reason) for f in failures]))
    return 2 if failures else 0


def _refuse_both(cases: list[str] | None, *, beside: bool) -> None:
    from wholecase.core.errors import ManifestError

    if cases is not None and beside:
        raise ManifestError("name either cases of the run, images or --cohort FILE, not two")


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _write_project(folder: Path | None, entries: "list[QuPathImage]") -> None:
    import time

    from wholecase.explain import write_qupath_project

    if folder is not None:
        print(write_qupath_project(folder, entries, now_ms=int(time.time() * 1000)))
