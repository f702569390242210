"""Who votes in each fold of a vote of runs: decided on the fold's inner patients alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from wholecase.answer import read_choices
from wholecase.cohort import Case, Fold
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.evaluation import Rule, Scores, Standing, standings, vote_weights
from wholecase.report import Judged
from wholecase.runs import read_rows
from wholecase.training import Choices, Inner, choose


@dataclass(frozen=True)
class Terms:
    """How members are admitted, and how much each counts."""

    weights: Literal["equal", "validation"] = "equal"
    admit: Literal["rule", "all"] = "rule"
    rule: Rule = field(default_factory=Rule)


@dataclass(frozen=True)
class FoldVote:
    """One fold of a vote: its members there, and what was chosen on its inner patients."""

    number: int
    standings: Mapping[str, Standing]
    """By name of the run; by the rule, also where all vote."""
    weights: Mapping[str, float]
    """Of those that vote, 1 in all."""
    choices: Choices
    threshold_rule: str | None
    inner: Inner
    """What they say together of the inner patients."""

    @property
    def is_alone(self) -> bool:
        """Whether one member answers, since no two are admitted."""
        return len(self.weights) < 2


def fold_votes(runs: Sequence[Judged], terms: Terms, *, seed: int) -> tuple[FoldVote, ...]:
    """Each fold by itself, so that no test patient has a say in who judges him.

    Where the rule admits no two members the one with the highest accuracy answers alone.

    Raises:
        RunError: the runs have other sides, or one kept no answers about its inner patients.
    """
    _refuse_other_sides(runs)
    sides = read_rows(runs[0].folder.splits)
    numbers = sorted(set(runs[0].folds.tolist()))
    return tuple(
        _fold_vote(runs, [row for row in sides if int(row["fold"]) == number], terms, seed)
        for number in numbers
    )


def _refuse_other_sides(runs: Sequence[Judged]) -> None:
    known = [
        {(row["fold"], row["case_id"]): row["side"] for row in read_rows(run.folder.splits)}
        for run in runs
    ]
    for run, own in zip(runs, known, strict=True):
        differing = [key for key in own | known[0] if own.get(key) != known[0].get(key)]
        if differing:
            fold, case = min(differing)
            raise RunError(
                f"{runs[0].folder.root} and {run.folder.root} have case {case!r} on other sides of "
                f"fold {fold}; run one of them again with --splits {runs[0].folder.splits}"
            )


def _fold_vote(
    runs: Sequence[Judged], sides: Sequence[Mapping[str, str]], terms: Terms, seed: int
) -> FoldVote:
    number = int(sides[0]["fold"])
    inner = _inner(runs, number, sides)
    chosen = {run.name: read_choices(run.folder.fold(number)) for run in runs}
    scores = {
        name: Scores(
            one.truth, one.probabilities, chosen[name].decide(one.probabilities), one.patients
        )
        for name, one in inner.items()
    }
    found = standings(scores, terms.rule)
    weights = _weights(found, scores, terms)
    rule = _rule(runs, number, list(weights))
    shares = [inner[name].probabilities for name in weights]
    mean = np.average(shares, 0, list(weights.values()))
    together = replace(next(iter(inner.values())), probabilities=mean)
    if len(weights) < 2:  # as the run itself decides
        choices = chosen[next(iter(weights))]
    else:
        choices = choose(together, threshold=rule or "half", calibration="none", seed=seed)
    return FoldVote(number, found, weights, choices, rule, together)


def _inner(
    runs: Sequence[Judged], number: int, sides: Sequence[Mapping[str, str]]
) -> dict[str, Inner]:
    """What each run says of the inner patients whom all were asked about, in one order."""
    answers = {run.name: _answers(run, number) for run in runs}
    asked = sorted(set.intersection(*(set(rows) for rows in answers.values())))
    if not asked:
        raise RunError(
            f"the runs were asked about no inner patient of fold {number} in common; run them "
            "again with --splits of one of them"
        )
    first = [answers[runs[0].name][case] for case in asked]
    for run in runs[1:]:
        _refuse_other_labels(runs[0], run, first, [answers[run.name][case] for case in asked])
    parts, classes = _parts(number, sides, first), runs[0].classes
    truth = np.array([classes.index(row["label"]) for row in first], dtype=np.int64)
    return {
        run.name: Inner(parts, tuple(asked), truth, _shares(run, answers[run.name], asked))
        for run in runs
    }


def _refuse_other_labels(
    a: Judged, b: Judged, mine: Sequence[Mapping[str, str]], theirs: Sequence[Mapping[str, str]]
) -> None:
    for one, other in zip(mine, theirs, strict=True):
        if one["label"] != other["label"]:
            raise RunError(
                f"{a.folder.root} and {b.folder.root} know inner case {one['case_id']!r} as "
                f"{one['label']} and {other['label']}; run one of them again with the same labels"
            )


def _answers(run: Judged, number: int) -> dict[str, dict[str, str]]:
    path = run.folder.fold(number).inner
    if not path.is_file():
        raise RunError(
            f"{path} is not there, and members are admitted on inner patients alone; run "
            f"{run.folder.root} again"
        )
    return {row["case_id"]: row for row in read_rows(path)}


def _shares(
    run: Judged, rows: Mapping[str, Mapping[str, str]], cases: Sequence[str]
) -> Float[np.ndarray, "M C"]:
    return np.array(
        [[float(rows[c][f"probability_{name}"]) for name in run.classes] for c in cases]
    )


def _parts(
    number: int, sides: Sequence[Mapping[str, str]], asked: Sequence[Mapping[str, str]]
) -> tuple[Fold, ...]:
    """Who was asked, with inner folds part by part; `Fold` refuses those that are tested."""
    parts = []
    test = tuple(_case(row) for row in sides if row["side"] == "test")
    for part in sorted({row.get("part") or "" for row in asked}):
        valid = tuple(_case(row) for row in asked if (row.get("part") or "") == part)
        patients = {case.patient for case in valid}
        train = [
            row for row in sides if row["side"] != "test" and row["patient_id"] not in patients
        ]
        parts.append(Fold(number, tuple(_case(row) for row in train), valid, test))
    return tuple(parts)


def _case(row: Mapping[str, str]) -> Case:
    return Case(row["case_id"], row["patient_id"], ())


def _weights(
    found: Mapping[str, Standing], scores: Mapping[str, Scores], terms: Terms
) -> dict[str, float]:
    """Of those that vote: all, the admitted, or where nobody is the most accurate."""
    voting = [name for name, one in found.items() if terms.admit == "all" or not one.reason]
    voting = voting or [max(found, key=lambda name: found[name].accuracy)]
    shares = vote_weights([scores[name] for name in voting], terms.weights)
    return {name: share for name, share in zip(voting, shares, strict=True) if share > 0}


def _rule(runs: Sequence[Judged], number: int, voting: Sequence[str]) -> str | None:
    """The threshold rule that all of them follow; one half where they differ."""
    rules = {
        read_json(run.folder.fold(number).choices).get("threshold_rule")
        for run in runs
        if run.name in voting
    }
    if len(runs[0].classes) != 2:
        return None
    return rules.pop() if len(rules) == 1 else "half"


def standing_lines(votes: Sequence[FoldVote]) -> Iterator[str]:
    """The table of admission for the terminal: a line for each fold and member."""
    width = max(len(name) for name in votes[0].standings)
    yield f"fold  {'run':{width}}  accuracy  differs  gain     weight"
    for fold in votes:
        for name, one in fold.standings.items():
            differs = "" if one.disagreement is None else f"{one.disagreement:.3f}"
            gain = "" if one.gain is None else f"{one.gain:+.4f}"
            weight = f"{fold.weights[name]:.3f}" if name in fold.weights else "out"
            line = f"{fold.number:4}  {name:{width}}  {one.accuracy:8.3f}  {differs:7}  {gain:7}"
            yield f"{line}  {weight}{f'  {one.reason}' if one.reason else ''}"
