"""A vote of runs: who votes, how each stands by the rule, and what the vote has more than each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wholecase.report.records import FoldRecord, Measured
from wholecase.report.table_cells import finite, measured
from wholecase.report.wording import interval, number


@dataclass(frozen=True)
class VotingMember:
    """A run that was proposed."""

    name: str
    recipe: str
    metrics: Mapping[str, Measured]
    gain: Mapping[str, Measured]
    """What the vote has more; of the Brier score less is better."""
    chance: str
    """How the gain of accuracy was tested."""


@dataclass(frozen=True)
class VoteRecord:
    """What a run that is a vote keeps of it."""

    members: tuple[VotingMember, ...]
    best: str
    """Name of the member with the highest accuracy on the judged patients."""
    agreement: Measured
    oracle: Measured
    weights: str
    admit: str
    rule: Mapping[str, float]


@dataclass(frozen=True)
class MemberRow:
    """A member beside the vote, in words."""

    name: str
    recipe: str
    is_best: bool
    cells: tuple[tuple[str, str], ...]
    """For each metric the member's value, and what the vote has more with its interval."""
    folds: str
    """In how many folds it votes."""


@dataclass(frozen=True)
class StandingRow:
    """How a member stands by the rule in one fold."""

    fold: int
    name: str
    accuracy: str
    differs: str
    gain: str
    weight: str
    reason: str


SHOWN = ("accuracy", "auroc", "brier")


def read_vote(facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> VoteRecord | None:
    """None where the run is no vote."""
    told, outcome = facts.get("vote"), metrics.get("vote")
    if not isinstance(told, Mapping) or not isinstance(outcome, Mapping):
        return None
    recipes = {str(one["name"]): str(one.get("recipe") or "") for one in told.get("members") or ()}
    members = tuple(
        VotingMember(
            name=str(one["name"]),
            recipe=recipes.get(str(one["name"]), ""),
            metrics={k: measured(v) for k, v in (one.get("metrics") or {}).items()},
            gain={k: measured(v) for k, v in (one.get("gain") or {}).items()},
            chance=str(one.get("how") or ""),
        )
        for one in outcome.get("members") or ()
    )
    return VoteRecord(
        members=members,
        best=str(outcome.get("best") or ""),
        agreement=measured(outcome.get("agreement")),
        oracle=measured(outcome.get("oracle")),
        weights=str(told.get("weights") or ""),
        admit=str(told.get("admit") or ""),
        rule=told.get("rule") or {},
    )


def gain_of(vote: VoteRecord) -> str:
    """What the vote has more than its best member, as a sentence."""
    best = next((one for one in vote.members if one.name == vote.best), None)
    gap = None if best is None else best.gain.get("accuracy")
    if best is None or gap is None or gap.value is None:
        return ""
    more, ends = gap.value, ""
    if gap.low is not None and gap.high is not None:
        low, high = (number(100 * end, 1) for end in (gap.low, gap.high))
        ends = f" (95 % interval of the difference {low} to {high})"
    if not more:
        return f"The vote is right as often as its best member, {best.name}{ends}."
    word = "more" if more > 0 else "fewer"
    told = number(100 * abs(more), 1)
    return (
        f"The vote is right in {told} of 100 cases {word} than its best member, {best.name}{ends}."
    )


def shown_metrics(vote: VoteRecord) -> list[str]:
    """Metrics of the table of members that are defined."""
    return [
        name
        for name in SHOWN
        if any(one.metrics.get(name, Measured(None)).value is not None for one in vote.members)
    ]


def member_rows(vote: VoteRecord, folds: tuple[FoldRecord, ...]) -> list[MemberRow]:
    """Each member beside the vote."""
    rows = []
    for one in vote.members:
        cells = tuple(
            (number(one.metrics.get(name, Measured(None)).value, 3), _gain(one.gain.get(name)))
            for name in shown_metrics(vote)
        )
        votes = sum(
            (finite(entry.get("weight")) or 0) > 0
            for fold in folds
            for entry in fold.choices.get("members") or ()
            if entry.get("name") == one.name
        )
        told = f"{votes} of {len(folds)}"
        rows.append(MemberRow(one.name, one.recipe, one.name == vote.best, cells, told))
    return rows


def standing_rows(folds: tuple[FoldRecord, ...]) -> list[StandingRow]:
    """The table of admission, fold by fold."""
    return [
        StandingRow(
            fold=fold.number,
            name=str(entry.get("name")),
            accuracy=number(finite(entry.get("accuracy")), 3),
            differs=number(finite(entry.get("disagreement")), 3),
            gain=number(finite(entry.get("gain")), 4),
            weight=number(finite(entry.get("weight"))),
            reason=str(entry.get("reason") or ""),
        )
        for fold in folds
        for entry in fold.choices.get("members") or ()
    ]


def _gain(gap: Measured | None) -> str:
    if gap is None or gap.value is None:
        return ""
    ends = interval(gap) or "no interval"
    return f"{'+' if round(gap.value, 3) > 0 else ''}{number(gap.value, 3)} ({ends})"
