"""Lines for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wholecase.cohort.split import some
from wholecase.core.visible import visible

if TYPE_CHECKING:
    from wholecase.answer import Judgement

SHOWN_FAILURES = 20
SEEN = {"file": "the very file", "picture": "the same picture", "patient": "the patient"}


def metric_lines(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line per metric: value, interval, number of patients."""
    for name, entry in metrics.items():
        if entry["value"] is None:
            why = entry.get("reason") or "undefined"
            yield f"{name:22} {why} (n = {entry['n']} patients)"
            continue
        low, high = entry["low"], entry["high"]
        interval = no_interval(entry) if low is None else f"95 % {low:.3f} to {high:.3f}"
        yield f"{name:22} {entry['value']:.3f}  {interval}  (n = {entry['n']} patients)"


def no_interval(entry: Mapping[str, Any]) -> str:
    """That there is none, and why, where the run tells."""
    reason = entry.get("reason")
    return f"no interval: {reason}" if reason else "no interval"


def novelty_lines(judgements: "Sequence[Judgement]") -> Iterator[str]:
    """Which new cases are no test of the run: unlike all that it learnt from, or part of it."""
    unlike = [one.case.id for one in judgements if one.is_unlike]
    yield from unlike_lines(unlike, len(judgements))
    yield from seen_lines({one.case.id: one.seen for one in judgements})


def unlike_lines(cases: Sequence[str], judged: int) -> Iterator[str]:
    """One line on the cases that are unlike those that were learnt from, if there are any."""
    if cases:
        yield visible(
            f"note: {len(cases)} of {judged} cases are unlike those that were learnt from, where "
            f"1 in 100 of the same kind would be; trust no answer about them: {some(cases)}"
        )


def seen_lines(seen: Mapping[str, str]) -> Iterator[str]:
    """One line for each way in which cases, by id, are known to have taught the run."""
    for kind, words in SEEN.items():
        if found := [case for case, known in seen.items() if known == kind]:
            yield visible(f"note: the run learnt from {words} of {len(found)} cases: {some(found)}")


def failure_lines(failures: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One line per failed image, up to a bound."""
    for path, reason in failures[:SHOWN_FAILURES]:
        known = path in reason or visible(path) in reason
        yield visible(f"out: {reason}" if known else f"out: {path}: {reason}")
    if len(failures) > SHOWN_FAILURES:
        yield f"out: {len(failures) - SHOWN_FAILURES} more"
