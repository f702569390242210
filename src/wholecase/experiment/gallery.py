"""Further cases for the memory of a run's models, which learn nothing from them.

An addition is a file of its own and a line in `gallery.json`, which is written last: one that was
stopped midway was never made. The models' own files stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from wholecase.answer import (
    FoldModel,
    Seen,
    TrainedRun,
    additions_of,
    contents_of,
    examples_of,
    has_bag,
    load_run,
)
from wholecase.assemble import batches_of, labels_of
from wholecase.cohort import Case, likeness_key, read_cohort, some
from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import write_json
from wholecase.execution import Place
from wholecase.experiment.asking import Weights, extracted
from wholecase.experiment.told_neighbours import known_cases
from wholecase.extract import Extraction
from wholecase.models import answers, save_tensors
from wholecase.runs import FINAL, RunFolder, claimed, read_rows

SCHEMA = 1


@dataclass(frozen=True)
class Addition:
    """What was added to a run's memory."""

    cases: Mapping[str, tuple[int, ...]]
    """Case -> the folds whose models remember it."""
    left_out: Mapping[str, str]
    """Case -> why no model remembers it, or not that of its fold."""


def add_to_gallery(
    run: Path,
    cohort: Path,
    place: Place,
    *,
    weights: Weights = None,
    store: Path | None = None,
) -> Addition:
    """Let each fold's model remember the labelled cases of a manifest.

    A case that the run knows already is left out, by its id or by what it shows, and one whose
    patient a fold judges is left out of that fold.

    Args:
        run: folder of a finished run whose head remembers cases.
        cohort: a manifest with labels that the run's recipe knows.
        place: where images are read and models asked.
        weights: as in `ask`.
        store: where features are kept; None is `features` beside the run.

    Raises:
        RunError: the models remember no cases, were trained on other features, or nothing is left.
        ManifestError: the manifest is wrong, or has a label that the recipe does not know.
    """
    with claimed(run):
        trained = load_run(run, place.device)
        if not trained.members[0].model.head.remembers:
            raise RunError(
                f"the models of {run} decide without remembered cases, so that none can be added; "
                "only the head `neighbours` remembers"
            )
        read = read_cohort(cohort, labels_of(trained.recipe))
        extraction = extracted(trained, read, place, weights=weights, store=store)
        if trained.folder.fold(FINAL).choices.is_file():
            also = load_run(run, place.device, final=True).members
            trained = replace(trained, members=(*trained.members, *also))
        return _added(trained, cohort, read.cases, extraction)


def undo_gallery(run: Path) -> str:
    """Take back what was added last; returns the name of its manifest.

    Raises:
        RunError: nothing was added.
    """
    folder = RunFolder(run)
    with claimed(run):
        if not (additions := additions_of(folder)):
            raise RunError(f"nothing was added to the memory of {run}, so that nothing is undone")
        *before, last = additions
        _write(folder, before)
        (folder.root / last["file"]).unlink(missing_ok=True)
    return str(last["cohort"])


def _added(
    trained: TrainedRun, cohort: Path, cases: Sequence[Case], extraction: Extraction
) -> Addition:
    folder = trained.folder
    out = dict(_unwanted(folder, cases, extraction))
    left = [case for case in cases if case.id not in out]
    kept: dict[str, Tensor] = {}
    folds: dict[str, tuple[int, ...]] = {}
    for member in trained.members:
        judged = _judged_by(folder, member.fold)
        own = [case for case in left if likeness_key(case.patient) not in judged]
        for case in left:
            if case not in own:
                told = f"its patient is judged by fold {member.fold}, whose model must not know it"
                out[case.id] = f"{out[case.id]}; {told}" if case.id in out else told
        folds |= {case.id: (*folds.get(case.id, ()), member.fold) for case in own}
        kept |= {f"{member.fold}/{n}": t for n, t in _remembered(member, own, extraction).items()}
    if not folds:
        first, why = next(iter(out.items()), (str(cohort), "it has no cases"))
        raise RunError(f"no case of {cohort} can be added to {folder.root} ({first}: {why})")
    before = additions_of(folder)
    path = folder.addition(len(before) + 1)
    save_tensors(path, kept, {"schema": SCHEMA})
    added = [case for case in left if case.id in folds]
    record = {
        "file": str(path.relative_to(folder.root)),
        "digest": file_digest(path),
        "cohort": cohort.name,
        "cohort_digest": file_digest(cohort),
        "models": {str(m.fold): file_digest(folder.fold(m.fold).model) for m in trained.members},
        "cases": [_told(case, trained.classes, folds[case.id]) for case in added],
        "left_out": [{"case_id": case, "reason": reason} for case, reason in out.items()],
        "contents": _contents(added, extraction),
    }
    _write(folder, [*before, record])
    return Addition(folds, out)


def _unwanted(
    folder: RunFolder, cases: Sequence[Case], extraction: Extraction
) -> Iterator[tuple[str, str]]:
    """The cases that no model shall remember, and why."""
    known, seen = set(map(likeness_key, known_cases(folder))), Seen.of(folder)
    for case in cases:
        if not has_bag(case, extraction):
            yield case.id, "none of its images can be used"
        elif likeness_key(case.id) in known:
            yield case.id, "the run knows a case of that name"
        elif (by := seen.by(case, extraction)) in {"file", "picture"}:
            yield case.id, f"the run knows a {by} of it under another name"


def _judged_by(folder: RunFolder, fold: int) -> set[str]:
    rows = read_rows(folder.splits) if folder.splits.is_file() else []
    return {
        likeness_key(row["patient_id"])
        for row in rows
        if row["side"] == "test" and int(row["fold"]) == fold
    }


def _remembered(
    member: FoldModel, cases: Sequence[Case], extraction: Extraction
) -> dict[str, Tensor]:
    if not cases:
        return {}
    examples = examples_of(cases, extraction, classes=len(member.classes))
    batches = batches_of(member.recipe, examples, 0)
    return member.model.head.remembered(answers(member.model, batches.once()))


def _told(case: Case, classes: Sequence[str], folds: Sequence[int]) -> dict[str, Any]:
    label = None if case.target is None else classes[case.target]
    return {"case_id": case.id, "patient_id": case.patient, "label": label, "folds": [*folds]}


def _contents(cases: Sequence[Case], extraction: Extraction) -> dict[str, str]:
    """What the cases show, by digest; as in `contents.csv` the first kind counts."""
    kinds: dict[str, str] = {}
    for case in cases:
        for content, kind in contents_of(case, extraction):
            kinds.setdefault(content, kind)
    return kinds


def _write(folder: RunFolder, additions: Sequence[Mapping[str, Any]]) -> None:
    write_json(folder.gallery, {"schema": SCHEMA, "additions": [*additions]})


def addition_lines(addition: Addition) -> Iterator[str]:
    """What became of the cases, in words."""
    everywhere = addition.cases.keys() - addition.left_out.keys()
    yield f"{len(everywhere)} cases added to the memory of all models"
    by_reason: dict[str, list[str]] = {}
    for case, reason in addition.left_out.items():
        by_reason.setdefault(reason, []).append(case)
    for reason, cases in by_reason.items():
        yield f"left out: {some(cases)}: {reason}"
