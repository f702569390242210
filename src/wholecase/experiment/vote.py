"""Several runs on the same folds vote: a run whose fold models are votes of theirs.

Nothing is learnt. Who votes, how much each counts and the threshold are decided on inner patients,
fold by fold; what was said of the test patients is then averaged.
"""

import json
import os
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
from wholecase.experiment.vote_files import copy_tables, copy_thumbnails, write_fold
from wholecase.experiment.vote_gain import told_of_vote, vote_notes
from wholecase.report import Judged, judged_alike, write_report
from wholecase.runs import (
    CLAIM,
    SCHEMA,
    RunFolder,
    claimed,
    forced,
    read_rows,
    run_digest,
)

SPLITS = ("digest", "protocol", "folds", "from")
"""Of the splits; refits and repeats are the members' own."""
INPUT = ("encoder", "features", "cut", "instance")
"""What a case is shown as, told where it is the same for all members."""


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
    runs = asked.runs
    judged = judgements_of(asked)
    copy_tables(runs, folder)
    for fold in asked.folds:
        write_fold(folder, fold, runs[0].classes)
    write_predictions(folder.predictions, judged, runs[0].classes)
    write_novelty(folder.novelty, judged)
    write_json(folder.metrics, _metrics(asked, judged))
    copy_thumbnails(runs, folder)
    write_json(folder.times, _times(started, datetime.now(UTC)))
    facts = json.loads(json_text(facts))
    write_report(folder.root, facts)
    write_json(folder.facts, facts)
    return folder


def _metrics(asked: Ballot, judged: Sequence[Judgement]) -> dict[str, Any]:
    recipe = recipe_of(asked.runs[0].folder.root)
    metrics = measured_by_fold(judged, recipe)
    alone = [fold.number for fold in asked.folds if fold.is_alone]
    checks = examined_results(Told(judged, metrics), recipe.evaluate.muted)
    checks = [*_sides_forced(asked.runs), *checks]
    notes = [*failed_notes(checks), *vote_notes(asked.terms.admit, alone)]
    return {
        **metrics,
        "spread": spread_of(metrics["folds"]),
        "vote": told_of_vote(asked.runs, judged, recipe),
        "checks": checks,
        "notes": notes,
    }


def _sides_forced(runs: Sequence[Judged]) -> list[dict[str, Any]]:
    """What the first run says whose sides are not apart: no vote of it has others."""
    told = (forced(read_json(run.folder.metrics).get("checks") or ()) for run in runs)
    return [dict(one) for one in told if one is not None][:1]


def _times(started: datetime, finished: datetime) -> dict[str, Any]:
    moments = {"started": started, "finished": finished}
    told = {name: moment.isoformat(timespec="seconds") for name, moment in moments.items()}
    return {**told, "seconds": {"vote": round((finished - started).total_seconds(), 2)}}


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
    told = [run.folder.read_facts() for run in asked.runs]
    alike = {
        n: first[n] for n in INPUT if n in first and all(one.get(n) == first[n] for one in told)
    }
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
        **alike,
        "seed": first.get("seed"),
        "versions": versions(),
        "vote": {"members": members, "weights": terms.weights, "admit": terms.admit, "rule": rule},
    }
