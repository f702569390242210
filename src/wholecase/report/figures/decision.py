"""Is acting on the model better than calling everybody, or nobody?"""

from collections.abc import Sequence

import numpy as np

from wholecase.evaluation import DecisionCurve
from wholecase.report.figures.axes import Axes, Axis, Frame, Number, nice_ticks
from wholecase.report.figures.svg import shorten

Points = list[tuple[Number, Number]]


def draw_decision(curve: DecisionCurve, thresholds: Sequence[float], positive: str) -> str:
    """Net benefit over threshold probabilities, with its interval, and the chosen thresholds."""
    high = 1.08 * max(float(curve.high.max()), float(curve.everybody[0]), 0.02)
    low = -0.2 * high
    y = Axis("Net benefit per case", low, high, nice_ticks(low, high, 6))
    x = Axis(f"Probability of {shorten(positive, 20)} from which one acts")
    axes = Axes(x, y, title="Decision curve", frame=Frame(left=62))
    at = curve.thresholds.tolist()
    ends = [np.clip(end, low, high).tolist() for end in (curve.low, curve.high)]
    upper = list(zip(at, ends[1], strict=True))
    axes.area([*zip(at, ends[0], strict=True), *reversed(upper)], "shade")
    axes.line([(0, 0), (1, 0)], "nobody")
    axes.line(until(list(zip(at, curve.everybody.tolist(), strict=True)), low), "everybody")
    model = np.clip(curve.model, low, high).tolist()
    axes.line(zip(at, model, strict=True), "curve main")
    for chosen in sorted(set(thresholds)):
        value = float(np.interp(chosen, curve.thresholds, curve.model))
        tip = f"threshold {chosen:.2f}: net benefit {value:.2f}"
        axes.dot(chosen, max(value, low), 5.5, "kept", tip)
    return axes.markup()


def until(points: Points, low: Number) -> Points:
    """A falling line as far as it stays within the figure.

    >>> until([(0, 2.0), (1, 1.0), (2, -1.0)], 0)
    [(0, 2.0), (1, 1.0), (1.5, 0)]
    """
    kept = [point for point in points if point[1] >= low]
    if not kept or len(kept) == len(points):
        return kept
    (x0, y0), (x1, y1) = kept[-1], points[len(kept)]
    return [*kept, (x0 + (x1 - x0) * (y0 - low) / (y0 - y1), low)]


def where_it_helps(curve: DecisionCurve) -> tuple[float, float] | None:
    """The longest range of thresholds over which the model beats both calling all and none."""
    better = curve.model > np.maximum(curve.everybody, 0.0) + 1e-9
    edges = np.flatnonzero(np.diff(np.concatenate(([False], better, [False])).astype(int)))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return float(curve.thresholds[starts[longest]]), float(curve.thresholds[ends[longest] - 1])
