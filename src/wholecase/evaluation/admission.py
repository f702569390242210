"""Which judges may vote together: good ones, that err on different cases.

Weak members drag a vote down, and members that decide alike add nothing. So in the order of their
accuracy each is tried against those that were admitted before it, and the first reason that speaks
against it is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wholecase.evaluation.scores import Scores


@dataclass(frozen=True)
class Rule:
    """What is asked of a member; the defaults are those of the published ensemble."""

    accuracy: float = 0.90
    """At least this share of cases is decided rightly."""
    disagreement: float = 0.05
    """Less than this share is decided otherwise than by any member admitted before."""


@dataclass(frozen=True)
class Standing:
    """How a judge stands by the rule."""

    accuracy: float
    disagreement: float | None
    """The greatest share of cases decided otherwise than by one admitted before; None of the first,
    and of those below the accuracy that is asked for."""
    gain: float | None
    """How much lower the Brier score of the vote is with it; None where it was not tried."""
    reason: str
    """Why it is not admitted; empty where it is."""


def standings(judges: Mapping[str, Scores], rule: Rule) -> dict[str, Standing]:
    """Each judge by name, all judging the same cases.

    A judge is admitted whose accuracy and disagreement the rule allows, where with each one
    admitted before there are cases that the two decide differently and neither is right in all of
    these (they complement each other), and where it lowers the Brier score of their mean.
    """
    order = sorted(judges, key=lambda name: (-_accuracy(judges[name]), _brier([judges[name]])))
    inside: list[str] = []
    found = {}
    for name in order:
        found[name] = _standing(judges, inside, name, rule)
        if not found[name].reason:
            inside.append(name)
    return {name: found[name] for name in judges}


def vote_weights(judges: Sequence[Scores], how: str) -> tuple[float, ...]:
    """How much each counts, 1 in all: alike (`equal`), or by what it got right (`validation`).

    The latter is the logarithm of right to wrong, half a case added to both, which is best for
    votes that err independently (Shapley & Grofman 1984); who is no better than a coin counts
    nothing, and where nobody is better all count alike.
    """
    odds = np.ones(len(judges))
    if how == "validation":
        right = np.array([(one.decision == one.truth).sum() for one in judges])
        total = len(judges[0].truth)
        odds = np.maximum(np.log((right + 0.5) / (total - right + 0.5)), 0.0)
    if not odds.sum():
        odds = np.ones(len(judges))
    return tuple((odds / odds.sum()).tolist())


def _standing(
    judges: Mapping[str, Scores], inside: Sequence[str], name: str, rule: Rule
) -> Standing:
    own = judges[name]
    accuracy = _accuracy(own)
    if accuracy < rule.accuracy - 1e-12:
        why = f"accuracy {accuracy:.3f} is below {rule.accuracy:g}"
        return Standing(accuracy, None, None, why)
    if not inside:
        return Standing(accuracy, None, None, "")
    apart = {one: float((judges[one].decision != own.decision).mean()) for one in inside}
    most = max(apart, key=lambda one: apart[one])
    if apart[most] >= rule.disagreement - 1e-12:
        why = f"decides otherwise than {most} in {100 * apart[most]:.1f} % of the cases"
        return Standing(accuracy, apart[most], None, why)
    if why := next(filter(None, (_alike(judges[one], own, one) for one in inside)), ""):
        return Standing(accuracy, apart[most], None, why)
    together = [judges[one] for one in inside]
    gain = _brier(together) - _brier([*together, own])
    why = "" if gain > 0 else "the vote is no better with it (Brier score)"
    return Standing(accuracy, apart[most], gain, why)


def _alike(other: Scores, own: Scores, name: str) -> str:
    """Why the two do not complement each other; nothing where they do."""
    differ = other.decision != own.decision
    if not differ.any():
        return f"decides as {name} does in all cases"
    right = [((one.decision == one.truth) & differ).sum() for one in (own, other)]
    if not right[0]:
        return f"is never right where it and {name} differ"
    return "" if right[1] else f"leaves {name} never right where the two differ"


def _accuracy(one: Scores) -> float:
    return float((one.decision == one.truth).mean())


def _brier(judges: Sequence[Scores]) -> float:
    mean: Float[np.ndarray, "M C"] = np.mean([one.probabilities for one in judges], 0)
    return float(((mean - np.eye(mean.shape[1])[judges[0].truth]) ** 2).sum(1).mean())
