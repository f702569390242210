"""A finished run is asked about new cases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wholecase.answer import (
    Judgement,
    Seen,
    TrainedRun,
    gallery_notes,
    has_bag,
    judge,
    load_run,
)
from wholecase.assemble import bags_of, labels_of, moved_weights, place_of
from wholecase.cohort import Case, Cohort, cohort_of_images, read_to_ask
from wholecase.core.errors import ManifestError, RunError
from wholecase.execution import Place
from wholecase.experiment.asking_votes import said_together
from wholecase.experiment.clinical import unseen_notes
from wholecase.experiment.trial import trials_of
from wholecase.extract import Extraction, Failure
from wholecase.features import FeatureOrigin, refuse_other_origin
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, mark_in, refuse_changed, voting_runs

Weights = Path | Sequence[Path] | None
"""Files of the encoder, or of those side by side."""


FINAL_NOTE = (
    "The final model answers: it learnt from all cases of the run, no figure of the run is of it, "
    "and how far a case lies from these is not told."
)


@dataclass(frozen=True)
class Question:
    """A run and the cases that it is asked about; no pixel was read yet."""

    run: Path
    cohort: Cohort
    note: str = ""
    """What the asker should know, such as cases whose labels are not used."""
    members: tuple["Question", ...] = ()
    """The same asked of each run of a vote; none where the run is no vote."""


@dataclass(frozen=True)
class Asked:
    """What a run says of new cases."""

    trained: TrainedRun
    """Of a vote without models: its runs have them."""
    judgements: Iterator[Judgement]
    """One per case of `cases`, in order, as they are made."""
    cases: tuple[Case, ...]
    """Of which an image could be read, by all runs of a vote."""
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """What the models do not know of these cases."""


def question_of(run: Path, images: Sequence[Path] = (), cohort: Path | None = None) -> Question:
    """What to ask; a case without a label that the run's recipe knows is judged, not counted.

    Raises:
        ManifestError: neither images nor a cohort are named, or both, or the manifest is wrong.
    """
    if bool(images) == (cohort is not None):
        raise ManifestError("name either images or --cohort FILE")
    if runs := voting_runs(RunFolder(run)):
        members = tuple(question_of(one.folder.root, images, cohort) for one in runs)
        return Question(run, members[0].cohort, members[0].note, members)
    recipe = read_recipe(str(RunFolder(run).recipe))
    labels = labels_of(recipe).alone
    if cohort is None and labels.clinical:
        raise ManifestError(
            f"{run} asks for the columns {', '.join(labels.clinical)} beside the images; write a "
            "manifest with them and name it with --cohort"
        )
    if cohort is None:
        kind = "ct" if recipe.cut.name == "slices" else None
        return Question(run, cohort_of_images(list(images), kind=kind))
    read = read_to_ask(cohort, labels)
    return Question(run, read, " ".join(str(remark) for remark in read.remarks))


def ask(
    question: Question,
    *,
    weights: Weights = None,
    store: Path | None = None,
    place: Place | None = None,
    final: bool = False,
) -> Asked:
    """Extract what is missing and let the run's fold models answer together.

    Args:
        question: run and cases.
        weights: of the encoder, where they moved since; of encoders side by side one for each.
        store: where features are kept; None is `features` beside the run.
        place: where images are read and models asked; None is the fastest device, one worker.
        final: whether the one model of all cases answers instead, of a run that has it.

    Raises:
        RunError: the run is unfinished, lacks a final model that is asked, or was trained on other
            features than these.
    """
    run, place = question.run, place or place_of(workers=1)
    if question.members:
        if final:
            raise RunError(f"{run} is a vote and has no final model; leave out --final")
        return _ask_members(question, weights, store, place)
    trained = load_run(run, place.device, final=final)
    extraction = extracted(trained, question.cohort, place, weights=weights, store=store)
    cases = [case for case in question.cohort.cases if has_bag(case, extraction)]
    seen, judged = Seen.of(trained.folder), judge([trained.vote], cases, extraction)
    judgements = (replace(one, seen=seen.by(one.case, extraction)) for (one,) in judged)
    notes = *_marked(trained.folder), *gallery_notes(trained.folder), *unseen_notes(trained, cases)
    if (trial := trials_of(trained.folder).get(extraction.identity)) is not None:
        notes = (f"Features are of {extraction.identity}: {trial.told}.", *notes)
    if final:
        notes = (FINAL_NOTE, *notes)
    return Asked(trained, judgements, tuple(cases), tuple(extraction.failures), tuple(notes))


def _marked(folder: RunFolder) -> list[str]:
    """That the run's own figures do not say how good these answers are."""
    mark = mark_in(folder)
    return [f"{folder.root.name} was judged by sides that are not apart. {mark}"] if mark else []


def _ask_members(question: Question, weights: Weights, store: Path | None, place: Place) -> Asked:
    """Ask each run of a vote with its own features, and let their fold models vote."""
    if weights is not None:
        raise RunError(
            f"{question.run} is a vote, and each of its runs has weights of its own; leave out "
            "--weights, and have them where they were"
        )
    folder = RunFolder(question.run)
    refuse_changed(folder)
    asked = [ask(one, store=store, place=place) for one in question.members]
    shared = set.intersection(*({case.id for case in one.cases} for one in asked))
    cases = tuple(case for case in asked[0].cases if case.id in shared)
    judgements = said_together(
        question.run, [one.judgements for one in asked], [case.id for case in cases]
    )
    first = asked[0].trained
    failures = {(str(f.path), f.reason): f for one in asked for f in one.failures}
    notes = tuple(dict.fromkeys(note for one in asked for note in one.notes))
    vote = TrainedRun(folder, first.recipe, first.classes, {}, ())
    return Asked(vote, judgements, cases, tuple(failures.values()), notes)


def extracted(
    trained: TrainedRun,
    cohort: Cohort,
    place: Place,
    *,
    weights: Weights = None,
    store: Path | None = None,
) -> Extraction:
    """What a run's models take of these cases; `weights` and `store` are as in `ask`.

    Raises:
        RunError: the run was trained on other features than these.
    """
    run = trained.folder.root
    files = [weights] if isinstance(weights, Path) else [*(weights or ())]
    moved = moved_weights(trained.recipe, files)
    recipe = read_recipe(str(trained.folder.recipe), moved)
    extraction = bags_of(recipe, cohort, store or run.parent / "features", place)
    _refuse_other_features(run, trained, extraction)
    return extraction


def _refuse_other_features(run: Path, trained: TrainedRun, extraction: Extraction) -> None:
    encoder = trained.encoder
    if not extraction.bags:
        return
    if extraction.width != encoder["width"]:
        raise RunError(
            f"{run} was trained on {encoder['width']} numbers per instance, "
            f"{extraction.identity} gives {extraction.width}; name the encoder it was trained with"
        )
    # an imported model does not know what made its features
    its_own = encoder["identity"] in {None, extraction.identity}
    if not its_own and extraction.identity not in trials_of(trained.folder):
        raise RunError(
            f"{run} was trained on features of {encoder['identity']}, these are of "
            f"{extraction.identity}; give the same weights with --weights, or another engine or "
            "file of the same network after `wholecase features trial`"
        )
    known = trained.folder.read_facts().get("features")
    if known is not None and extraction.origin is not None:
        refuse_other_origin(run, FeatureOrigin(**known), extraction.origin)
