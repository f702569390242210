"""What all fold models say of one case: do they agree, and do they look at the same places?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from wholecase.report.records import Opinion, Prediction
from wholecase.report.run_record import Run
from wholecase.report.wording import count, number, reach


@dataclass(frozen=True)
class Dot:
    """One fold model on the strip from 0 to 1."""

    at: float
    kind: str
    """`own` judged the case, `seen` learned or chose on its patient, `new` did neither."""
    tip: str


@dataclass(frozen=True)
class Strip:
    """The fold models' probabilities of one class for one case."""

    of: str
    dots: tuple[Dot, ...]
    """Those of models that have seen the patient come first, so that the judge lies on top."""
    spread: str
    """From where to where they go."""
    agreement: str
    """How alike the models rank the instances; empty where that is unknown."""


def strip_of(run: Run, prediction: Prediction) -> Strip | None:
    """The strip of a case; None where the run did not ask its other models.

    Drawn is the probability of the positive class of two, or of the class that was decided.
    """
    asked = run.opinions.get(prediction.case, ())
    shown = run.positive if run.is_binary else prediction.decision
    if not asked or shown not in run.classes:
        return None
    place = run.classes.index(shown)
    pairs = [(opinion, opinion.probabilities[place]) for opinion in asked]
    known = [(opinion, p) for opinion, p in pairs if p == p]  # noqa: PLR0124 (nan)
    if not known:
        return None
    dots = [_dot(opinion, p, prediction.fold) for opinion, p in known]
    order = ("seen", "new", "own")
    return Strip(
        of=shown,
        dots=tuple(sorted(dots, key=lambda dot: order.index(dot.kind))),
        spread=reach([p for _, p in known]),
        agreement=_agreement(asked),
    )


def _dot(opinion: Opinion, probability: float, judge: int) -> Dot:
    tip = f"model of fold {opinion.fold}: {number(probability)}"
    if opinion.fold == judge:
        return Dot(probability, "own", f"{tip}, the one that judged")
    if opinion.has_seen:
        return Dot(probability, "seen", f"{tip}, has seen this patient")
    return Dot(probability, "new", f"{tip}, has not seen this patient")


def _agreement(opinions: Sequence[Opinion]) -> str:
    known = [opinion.agreement for opinion in opinions if opinion.agreement is not None]
    if not known:
        return ""
    ends = f" ({reach(known)})" if len(known) > 1 else ""
    return f"{number(fmean(known))}{ends} with {count(len(known), 'other model')}"
