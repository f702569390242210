"""Lines for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wholecase.core.visible import visible

SHOWN_FAILURES = 20


def metric_lines(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line per metric: value, interval, number of patients."""
    for name, told in metrics.items():
        if told["value"] is None:
            yield f"{name:22} undefined (n = {told['n']} patients)"
            continue
        low, high = told["low"], told["high"]
        interval = "no interval" if low is None else f"95 % {low:.3f} to {high:.3f}"
        yield f"{name:22} {told['value']:.3f}  {interval}  (n = {told['n']} patients)"


def failure_lines(failures: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One line per failed image, up to a bound."""
    for path, reason in failures[:SHOWN_FAILURES]:
        known = path in reason or visible(path) in reason
        yield visible(f"out: {reason}" if known else f"out: {path}: {reason}")
    if len(failures) > SHOWN_FAILURES:
        yield f"out: {len(failures) - SHOWN_FAILURES} more"
