"""A question that a run is asked about itself, by a code that papers and reviews can name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from wholecase.answer import Judgement, scores_of
from wholecase.cohort import Cohort
from wholecase.evaluation import Scores
from wholecase.experiment.advice import troubles_told
from wholecase.experiment.outer import Bench
from wholecase.experiment.troubles import Kind

Severity = Literal["error", "warning", "remark"]
State = Literal["passed", "failed", "muted", "not applicable"]
PAGE = "docs/checks.md"


@dataclass(frozen=True)
class Outcome:
    """What a check found, in one sentence."""

    state: State
    sentence: str


def passed(sentence: str) -> Outcome:
    """All is well, and what was looked at."""
    return Outcome("passed", sentence)


def failed(sentence: str) -> Outcome:
    """What a reader must know, and what helps."""
    return Outcome("failed", sentence)


def not_applicable(sentence: str) -> Outcome:
    """Why the question does not arise, or could not be asked."""
    return Outcome("not applicable", sentence)


@dataclass(frozen=True)
class Examined:
    """A run that has judged its cases."""

    bench: Bench
    judged: Sequence[Judgement]
    cohort: Cohort
    columns: Mapping[str, Mapping[str, str]]
    """Column of the manifest -> case id -> what stands there."""
    metrics: Mapping[str, Any]
    """As `metrics.json` will hold them."""
    unbeaten: Sequence[str]
    """What of plain baselines a reader must know."""

    @cached_property
    def scores(self) -> Scores:
        """What was said, by fold."""
        return scores_of(self.judged)

    @cached_property
    def troubles(self) -> Mapping[Kind, str]:
        """What went wrong while learning, a sentence each."""
        return troubles_told(self.bench, self.judged)

    def pooled(self, metric: str, part: str = "value") -> float | None:
        """A figure of the headline; None where it is undefined or was not measured."""
        entry = self.metrics["pooled"].get(metric) or {}
        found = entry.get(part)
        return None if found is None else float(found)


@dataclass(frozen=True)
class Check:
    """One question."""

    code: str
    title: str
    severity: Severity
    """Of a run that fails it."""
    look: Callable[[Examined], Outcome]

    @property
    def page(self) -> str:
        """Where it is explained."""
        return f"{PAGE}#{self.code.lower()}"
