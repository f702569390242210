"""Several runs on the same folds vote: a run whose fold models are votes of theirs.

Nothing is learnt. Who votes, how much each counts and the threshold are decided on inner patients,
fold by fold; what was said of the test patients is then averaged.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wholecase.answer import Judgement, voted
from wholecase.cohort import Case
from wholecase.core.digest import digest
from wholecase.core.errors import RunError
from wholecase.core.files import json_text, read_json, write_json
from wholecase.core.seeds import seed_of
from wholecase.core.version import VERSION
from wholecase.evaluation import Novelty
from wholecase.experiment.admitting import FoldVote, Terms, fold_votes
from wholecase.experiment.checks import Told, examined_results
from wholecase.experiment.explained import recipe_of
from wholecase.experiment.facts import versions
from wholecase.experiment.results import (
    failed_notes,
    measured_by_fold,
    spread_of,
    write_novelty,
    write_predictions,
)
from wholecase.experiment.vote_gain import told_of_vote, vote_notes
from wholecase.report import Judged, judged_alike, write_report
from wholecase.runs import (
    CLAIM,
    SCHEMA,
    RunFolder,
    claimed,
    read_rows,
    run_digest,
    write_rows,
)


@dataclass(frozen=True)
class Ballot:
    """The runs that were proposed, and who of them votes in each fold; no test patient was seen."""

    runs: tuple[Judged, ...]
    folds: tuple[FoldVote, ...]
    terms: Terms

    @property
    def is_void(self) -> bool:
        """Whether no fold has two members to vote."""
        return all(fold.is_alone for fold in self.folds)


def ballot(roots: Sequence[Path], terms: Terms | None = None) -> Ballot:
    """Who votes where.

    Raises:
        RunError: fewer than two runs, or they are not of the same cases, classes and folds, or one
            kept no answers about inner patients.
    """
    runs, terms = judged_alike(roots), terms or Terms()
    seed = seed_of(int(runs[0].folder.read_facts().get("seed") or 1), "vote")
    return Ballot(runs, fold_votes(runs, terms, seed=seed), terms)


def vote(asked: Ballot, out: Path) -> RunFolder:
    """Write the run of a vote; the same vote into the same folder is written anew.

    Raises:
        RunError: the rule admits nobody, or the folder holds something else.
    """
    if asked.is_void:
        raise RunError(
            "the rule admits no two of these runs in any fold, and no folder was written; --admit "
            "all lets all vote all the same, and the report says so"
        )
    with claimed(out):
        return _vote(asked, RunFolder(out))


def _vote(asked: Ballot, folder: RunFolder) -> RunFolder:
    started = datetime.now(UTC)
    facts = _facts(asked, folder)
    _claim(folder, digest(vote=facts["vote"]))
    folder.facts.unlink(missing_ok=True)
    runs, recipe = asked.runs, recipe_of(asked.runs[0].folder.root)
    judged = judgements_of(asked)
    _copy_tables(runs, folder)
    for fold in asked.folds:
        _write_fold(folder, fold, runs[0].classes)
    write_predictions(folder.predictions, judged, runs[0].classes)
    write_novelty(folder.novelty, judged)
    metrics: dict[str, Any] = measured_by_fold(judged, recipe)
    metrics["spread"] = spread_of(metrics["folds"])
    metrics["vote"] = told_of_vote(runs, judged, recipe)
    names = asked.terms.admit, [fold.number for fold in asked.folds if fold.is_alone]
    metrics["checks"] = examined_results(Told(judged, metrics), recipe.evaluate.muted)
    metrics["notes"] = [*failed_notes(metrics["checks"]), *vote_notes(*names)]
    write_json(folder.metrics, metrics)
    _copy_thumbnails(runs, folder)
    ended = datetime.now(UTC)
    moments = {"started": started, "finished": ended}
    told = {name: moment.isoformat(timespec="seconds") for name, moment in moments.items()}
    seconds = {"vote": round((ended - started).total_seconds(), 2)}
    write_json(folder.times, {**told, "seconds": seconds})
    facts = json.loads(json_text(facts))
    write_report(folder.root, facts)
    write_json(folder.facts, facts)
    return folder


def judgements_of(asked: Ballot) -> list[Judgement]:
    """What the votes say of the test cases, each by that of its fold; in the order of the ids."""
    folds = {fold.number: fold for fold in asked.folds}
    novelties = {run.name: _novelties(run) for run in asked.runs}
    told = []
    for number, row in enumerate(asked.runs[0].rows):
        fold = folds[int(row["fold"])]
        parts = [
            _said(run, number, novelties[run.name])
            for run in asked.runs
            if run.name in fold.weights
        ]
        weights = [fold.weights[run.name] for run in asked.runs if run.name in fold.weights]
        told.append(voted(fold.number, parts, fold.choices.threshold, weights))
    return told


def _said(run: Judged, number: int, novelties: dict[str, Novelty]) -> Judgement:
    row, shares = run.rows[number], run.scores.probabilities[number]
    target = int(run.scores.truth[number])
    case = Case(row["case_id"], row["patient_id"], (), label=row["label"], target=target)
    decision = int(run.scores.decision[number])
    novelty = novelties.get(case.id)
    return Judgement(case, run.classes, run.name, shares, shares, decision, novelty=novelty)


def _novelties(run: Judged) -> dict[str, Novelty]:
    rows = read_rows(run.folder.novelty) if run.folder.novelty.is_file() else []
    return {
        row["case_id"]: Novelty(
            float(row["distance"]),
            float(row["distance_percentile"] or "nan"),
            row["unlike"] == "1",
        )
        for row in rows
    }


def _claim(folder: RunFolder, mine: str) -> None:
    if folder.inputs.is_file():
        if read_json(folder.inputs).get("vote") != mine:
            raise RunError(f"{folder.root} holds another run; choose another --out or delete it")
    elif any(path.name != CLAIM for path in folder.root.iterdir()):
        raise RunError(f"{folder.root} is not empty and no vote; choose another --out")
    write_json(folder.inputs, {"vote": mine})


def _facts(asked: Ballot, folder: RunFolder) -> dict[str, Any]:
    """What `run.json` says: the cohort and splits of the members, and who they are."""
    first, terms = asked.runs[0].folder.read_facts(), asked.terms
    splits = {k: v for k, v in (first.get("splits") or {}).items() if k in SPLITS}
    members = [
        {
            "name": run.name,
            "path": Path(
                os.path.relpath(run.folder.root.resolve(), folder.root.resolve())
            ).as_posix(),
            "digest": run_digest(run.folder),
            "recipe": run.folder.read_facts().get("recipe"),
        }
        for run in asked.runs
    ]
    rule = {"accuracy": terms.rule.accuracy, "disagreement": terms.rule.disagreement}
    return {
        "schema": SCHEMA,
        "wholecase": VERSION,
        "recipe": "vote",
        "title": f"Vote of {len(members)} runs",
        "classes": list(asked.runs[0].classes),
        "positive": first.get("positive"),
        "cohort": first.get("cohort"),
        "splits": splits,
        "seed": first.get("seed"),
        "versions": versions(),
        "vote": {"members": members, "weights": terms.weights, "admit": terms.admit, "rule": rule},
    }


SPLITS = ("digest", "protocol", "folds", "from")
"""Of the splits; refits and repeats are the members' own."""


def _copy_tables(runs: Sequence[Judged], folder: RunFolder) -> None:
    """Who was on which side; the cases, and what any member had to leave out."""
    for name in ("splits", "cases"):
        source = getattr(runs[0].folder, name)
        if source.is_file():
            rows = read_rows(source)
            write_rows(getattr(folder, name), list(rows[0]), rows)
    files = [run.folder.exclusions for run in runs if run.folder.exclusions.is_file()]
    lost = {tuple(row.items()): row for file in files for row in read_rows(file)}
    columns = ("case_id", "patient_id", "path", "stage", "reason", "costs")
    write_rows(folder.exclusions, columns, lost.values())


def _write_fold(folder: RunFolder, fold: FoldVote, classes: Sequence[str]) -> None:
    """What the vote says of the inner patients, and last what was chosen on them."""
    inner, files = fold.inner, folder.fold(fold.number)
    named = [f"probability_{name}" for name in classes]
    part = {case.id: n for n, one in enumerate(inner.parts) for case in one.valid}
    rows = [
        {
            "case_id": case,
            "patient_id": patient,
            "label": classes[int(target)],
            **dict(zip(named, map(repr, shares.tolist()), strict=True)),
            "part": part[case],
        }
        for case, patient, target, shares in zip(
            inner.cases, inner.patients, inner.truth, inner.probabilities, strict=True
        )
    ]
    columns = ["case_id", "patient_id", "label", *named]
    columns += ["part"] if len(inner.parts) > 1 else []
    write_rows(files.inner, columns, [{name: row[name] for name in columns} for row in rows])
    members = [
        {"name": name, "weight": fold.weights.get(name, 0.0), **vars(standing)}
        for name, standing in fold.standings.items()
    ]
    chosen = {
        "threshold": fold.choices.threshold,
        "threshold_rule": fold.threshold_rule,
        "temperature": 1.0,
        "inner_cases": len(inner.cases),
        "inner_patients": len(set(inner.patients)),
        "members": members,
    }
    write_json(files.choices, chosen)


def _copy_thumbnails(runs: Sequence[Judged], folder: RunFolder) -> None:
    """Each case as the first run that drew it shows it; where runs looked they tell themselves."""
    pictures: dict[str, dict[str, str]] = {}
    for run in runs:
        drawn = read_json(run.folder.pictures) if run.folder.pictures.is_file() else {}
        for case, entry in drawn.items():
            source = run.folder.root / str(entry.get("thumbnail") or "")
            if case in pictures or not source.is_file():
                continue
            target = folder.picture(case, f"thumbnail{source.suffix}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            pictures[case] = {"thumbnail": target.relative_to(folder.root).as_posix()}
    write_json(folder.pictures, pictures)
