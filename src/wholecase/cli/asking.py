"""From the words of a command to a run's answers about new cases."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.core.errors import ManifestError

if TYPE_CHECKING:  # the types would load the whole house at start
    from wholecase.answer import CaseAnswer, TrainedRun
    from wholecase.cohort import Cohort
    from wholecase.extract import Extraction


def cohort_for(run: Path, images: Sequence[Path], cohort: Path | None) -> "Cohort":
    """The cases that are asked about; labelled by the run's recipe where all have labels."""
    from wholecase.assemble import labels_of
    from wholecase.cohort import cohort_of_images, read_cohort
    from wholecase.recipes import read_recipe
    from wholecase.runs import RunFolder

    if bool(images) == (cohort is not None):
        raise ManifestError("name either images or --cohort FILE")
    if cohort is None:
        return cohort_of_images(list(images))
    read = read_cohort(cohort, None)
    labels = labels_of(read_recipe(str(RunFolder(run).recipe)))
    strangers = {case.label for case in read.cases} - {*labels.known, *labels.ignore}
    if not strangers:
        return read_cohort(cohort, labels)
    if any(strangers):
        told = ", ".join(sorted(label for label in strangers if label))
        print(f"note: labels are not used, since the run knows nothing of {told}", file=sys.stderr)
    return read


def ask(
    run: Path,
    cohort: "Cohort",
    places: tuple[Path | None, Path | None],
    *,
    device: str,
    workers: int,
) -> "tuple[TrainedRun, Extraction, Iterator[CaseAnswer]]":
    """Extract what is missing and let the run's models answer; `places` are weights and store."""
    from wholecase.answer import has_bag, load_run
    from wholecase.assemble import choose_device, plan_of
    from wholecase.core.errors import RunError
    from wholecase.extract import extract
    from wholecase.recipes import read_recipe

    weights, store = places
    chosen = choose_device(device)
    trained = load_run(run, chosen)
    moved = [] if weights is None else [f"encoder.weights={weights}"]
    recipe = read_recipe(str(trained.folder.recipe), moved)
    plan = plan_of(recipe, store or run.parent / "features", chosen)
    extraction = extract(cohort, plan, workers=workers)
    if extraction.width != trained.encoder["width"]:
        raise RunError(
            f"{run} was trained on {trained.encoder['width']} numbers per instance, "
            f"{extraction.identity} gives {extraction.width}; name the encoder it was trained with"
        )
    # an imported model does not know what made its features
    if trained.encoder["identity"] not in {None, extraction.identity}:
        raise RunError(
            f"{run} was trained on features of {trained.encoder['identity']}, these are of "
            f"{extraction.identity}; give the same weights with --weights"
        )
    cases = [case for case in cohort.cases if has_bag(case, extraction)]
    return trained, extraction, trained.answer(cases, extraction) if cases else iter(())
