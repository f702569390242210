"""What a vote is worth beside its members, on the test patients."""

from collections.abc import Sequence
from typing import Any

from wholecase.answer import Judgement, scores_of
from wholecase.core.seeds import seed_of
from wholecase.evaluation import (
    METRICS,
    Scores,
    mcnemar,
    overlap,
    paired_difference,
)
from wholecase.recipes import Recipe
from wholecase.report import Judged

GAINED = ("accuracy", "balanced_accuracy", "auroc", "brier")
"""Metrics by which a vote stands beside its members; `compare` tells all of them."""


def told_of_vote(
    runs: Sequence[Judged], judged: Sequence[Judgement], recipe: Recipe
) -> dict[str, Any]:
    """Of each member its metrics and what the vote has more, paired by patient; and the oracle.

    `best` is the member with the highest accuracy on these very patients: known in hindsight only,
    so that the gain over it is rather too small than too great.
    """
    scores = scores_of(judged)
    members = [_member(run, scores, recipe) for run in runs]
    best = max(members, key=lambda one: float(one["metrics"]["accuracy"]["value"]))
    shared = overlap([run.scores for run in runs], seed=seed_of(recipe.protocol.seed, "overlap"))
    return {
        "members": members,
        "best": best["name"],
        "agreement": shared.agreement.to_json(),
        "oracle": shared.oracle.to_json(),
    }


def _member(run: Judged, together: Scores, recipe: Recipe) -> dict[str, Any]:
    repeats = recipe.evaluate.bootstrap
    own, gain = {}, {}
    for name in GAINED:
        metric = METRICS[name]
        value = metric(run.scores.truth, run.scores.probabilities, run.scores.decision)
        own[name] = {"value": value if value == value else None}  # noqa: PLR0124 (nan)
        seed = seed_of(recipe.protocol.seed, "gain", name)
        gap = paired_difference(together, run.scores, name, repeats=repeats, seed=seed)
        gain[name] = gap.to_json()
    right = [one.decision == one.truth for one in (together, run.scores)]
    tested = mcnemar(right[0], right[1], together.patients)
    gain["accuracy"] = tested.difference.to_json()
    return {"name": run.name, "metrics": own, "gain": gain, "p": tested.p, "how": tested.how}


def vote_notes(admit: str, alone: Sequence[int]) -> list[str]:
    """What to know of who votes."""
    notes = []
    if admit == "all":
        notes.append(
            "All members vote, whether or not the rule of admission would let them: the table of "
            "the vote says how each stands by it."
        )
    if alone:
        folds = ", ".join(map(str, alone))
        word = "fold" if len(alone) == 1 else "folds"
        notes.append(
            f"In {word} {folds} no two members are admitted; there the one with the highest "
            "accuracy on inner patients answers alone."
        )
    return notes
