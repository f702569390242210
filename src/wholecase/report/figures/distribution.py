"""Each case a dot at its probability, or many as bars, a row per true class; errors stand out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from wholecase.report.figures.axes import Axes, Axis, Frame, Number
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import shorten


@dataclass(frozen=True)
class Layout:
    """How wide, and in how many steps of probability; the dots of one step stack up."""

    width: Number
    steps: int
    radius: Number


BROAD = Layout(width=960, steps=60, radius=6.4)
NARROW = Layout(width=440, steps=36, radius=4.2)
LEFT, TOP, BOTTOM = 112.0, 36.0, 52.0
HIGHEST = 170.0
"""No row of a class is higher, in pixels: dots shrink instead."""
SMALLEST = 2.5
"""Where dots would have to shrink below this radius, bars count the cases."""


def shows_dots(cases: Judged) -> bool:
    """Whether each case gets a dot of its own, on broad and on narrow pages."""
    layouts = (BROAD, NARROW)
    return all(_radius(_tallest(cases, one.steps), one) >= SMALLEST for one in layouts)


def draw_distribution(
    cases: Judged, thresholds: Sequence[float], layout: Layout, links: Mapping[str, str]
) -> str:
    """Probabilities by true class with the thresholds of the folds.

    With two classes, the probability is that of the positive class; with more, that of the
    case's true class. `links` leads from a case to its page, where it has one.
    """
    n, dots = len(cases.classes), shows_dots(cases)
    tallest = _tallest(cases, layout.steps)
    radius = _radius(tallest, layout)
    row = max(2 * radius * tallest + 16, 68.0)
    frame = Frame(layout.width, TOP + BOTTOM + row * n, left=LEFT, top=TOP, bottom=BOTTOM)
    axes = Axes(Axis(_label(cases)), Axis("", 0, n, ()), title="Probabilities", frame=frame)
    _thresholds(axes, thresholds, n)
    for target in range(n):
        base = n - 1 - target
        _name(axes, cases, (target, base))
        if dots:
            _dots(axes, cases, (target, base), (layout.steps, radius, row), links)
        else:
            _bars(axes, cases, (target, base), (layout.steps, 0.9 / tallest))
    return axes.markup()


def _label(cases: Judged) -> str:
    if len(cases.classes) == 2:
        return f"Probability of {shorten(cases.classes[1], 24)}"
    return "Probability given to the true class"


def _name(axes: Axes, cases: Judged, place: tuple[int, int]) -> None:
    target, base = place
    axes.line([(0, base), (1, base)], "axis")
    own = int((cases.truth == target).sum())
    px, py = axes.at(0, base + 0.5)
    name = shorten(cases.classes[target], 12)
    axes.drawing.add("text", x=px - 14, y=py - 2, text=name, kind="name end")
    text = f"{own} case{'' if own == 1 else 's'}"
    axes.drawing.add("text", x=px - 14, y=py + 15, text=text, kind="note end")


def _placed(
    cases: Judged, target: int, steps: int
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    """Indices of the class's N cases by rising probability, the probability, and its step."""
    own = np.flatnonzero(cases.truth == target)
    score = cases.probabilities[own, 1 if len(cases.classes) == 2 else target]
    order = np.argsort(score, kind="stable")
    step = np.clip((score * steps).astype(np.int64), 0, steps - 1)
    return own[order], score[order], step[order]


def _tallest(cases: Judged, steps: int) -> int:
    """Most cases of a class in one step."""
    places = [_placed(cases, target, steps)[2] for target in range(len(cases.classes))]
    return max(int(np.bincount(place, minlength=1).max(initial=1)) for place in places)


def _radius(tallest: int, layout: Layout) -> float:
    return min(layout.radius, (HIGHEST - 12) / (2 * tallest))


def _dots(
    axes: Axes,
    cases: Judged,
    place: tuple[int, int],
    scale: tuple[int, Number, Number],
    links: Mapping[str, str],
) -> None:
    steps, radius, row = scale
    height = np.zeros(steps, np.int64)
    for i, p, step in zip(*_placed(cases, place[0], steps), strict=True):
        up = (2 * radius * height[step] + radius + 1) / row
        right = cases.decision[i] == cases.truth[i]
        tip = f"{cases.cases[i]}: {p:.2f}, called {cases.classes[cases.decision[i]]}"
        kind = "case right" if right else "case wrong"
        shrunk = radius - (0.5 if right else 1.2)  # the outline of an open dot takes room
        cx, cy = axes.at((step + 0.5) / steps, place[1] + up)
        link = links.get(cases.cases[i], "")
        size = float(max(shrunk, 0.5))
        axes.drawing.add("circle", cx=cx, cy=cy, r=size, kind=kind, tip=tip, link=link)
        height[step] += 1


def _bars(axes: Axes, cases: Judged, place: tuple[int, int], scale: tuple[int, float]) -> None:
    steps, unit = scale
    own, _, step_of = _placed(cases, place[0], steps)
    wrong = cases.decision[own] != cases.truth[own]
    for step in np.unique(step_of):
        inside = step_of == step
        all_, amiss = int(inside.sum()), int((inside & wrong).sum())
        left, end = step / steps, (step + 0.88) / steps
        # errors on the ground line, where even one is seen
        middle, top = place[1] + amiss * unit, place[1] + all_ * unit
        tip = f"{all_} cases, {amiss} called wrongly"
        axes.bar((left, place[1], end, middle), "case wrong", tip)
        axes.bar((left, middle, end, top), "case right", tip)


def _thresholds(axes: Axes, thresholds: Sequence[float], rows: int) -> None:
    if not thresholds:
        return
    for value in sorted(set(thresholds)):
        axes.line([(value, 0), (value, rows)], "threshold", f"threshold {value:.2f}")
    low, high = min(thresholds), max(thresholds)
    one = f"{low:.2f}" == f"{high:.2f}"
    text = f"threshold {low:.2f}" if one else f"thresholds {low:.2f}–{high:.2f}, one per fold"
    middle = (low + high) / 2
    kind = "note middle" if 0.25 < middle < 0.75 else "note end" if middle >= 0.75 else "note"
    axes.text(middle, rows, text, kind, dy=-10)
