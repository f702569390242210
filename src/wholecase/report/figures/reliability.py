"""What was said against what was so, before and after calibration."""

import math

from wholecase.evaluation import (
    METRICS,
    bins_for,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    reliability,
)
from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.figure import Table
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import shorten
from wholecase.report.wording import number


def draw_reliability(cases: Judged, raw: Judged | None) -> str:
    """Bins of cases by probability, with the share that was so and its 95 % interval.

    `raw` are the same cases before calibration, None where there was none. With more
    than two classes it is the decision that is judged: how often it was right against how likely
    it was called.
    """
    axes = _axes(cases)
    axes.line([(0, 0), (1, 1)], "chance")
    if raw is not None:
        _before(axes, raw)
    _after(axes, cases)
    return axes.markup()


def honesty(cases: Judged, raw: Judged | None) -> Table:
    """Calibration error and Brier score, of two classes slope and intercept: before and after."""
    slope = ("Slope", "Intercept") if len(cases.classes) == 2 else ()
    sets = [("as said", cases)] if raw is None else [("before", raw), ("after", cases)]
    rows = tuple((name, *_numbers(shown)) for name, shown in sets)
    return Table(("Probabilities", "ECE", "Brier score", *slope), rows)


def _numbers(cases: Judged) -> tuple[str, ...]:
    truth, said = cases.said()
    rows = [
        number(expected_calibration_error(truth, said, bins_for(len(cases.cases))), 3),
        number(METRICS["brier"](cases.truth, cases.probabilities, cases.decision), 3),
    ]
    if len(cases.classes) != 2:
        return tuple(rows)
    slope = _slope(calibration_slope(truth, said))
    return (*rows, slope, number(calibration_intercept(truth, said)))


def _slope(value: float) -> str:
    """Beyond 100 only its size is told: all probabilities are nearly the same then."""
    return "> 100" if value > 100 else "< −100" if value < -100 else number(value)


def _before(axes: Axes, raw: Judged) -> None:
    points = reliability(*raw.said(), bins_for(len(raw.cases)))
    xy = list(zip(points.predicted.tolist(), points.observed.tolist(), strict=True))
    axes.line(xy, "before-line")
    for (x, y), n in zip(xy, points.count.tolist(), strict=True):
        radius = _radius(n, len(raw.cases))
        axes.dot(x, y, radius, "before-bin", f"before: {n} cases, said {x:.2f}, was {y:.2f}")


def _after(axes: Axes, cases: Judged) -> None:
    points = reliability(*cases.said(), bins_for(len(cases.cases)))
    for x, low, high in zip(points.predicted, points.low, points.high, strict=True):
        tip = f"95 % interval {low:.2f}–{high:.2f}"
        axes.line([(float(x), float(low)), (float(x), float(high))], "whisker", tip)
    xy = list(zip(points.predicted.tolist(), points.observed.tolist(), strict=True))
    axes.line(xy, "curve main thin")
    for (x, y), n in zip(xy, points.count.tolist(), strict=True):
        tip = f"{n} cases: said {x:.2f}, was {y:.2f}"
        radius = _radius(n, len(cases.cases))
        axes.dot(x, y, radius, "bin", tip)
        _count(axes, (x, y), n, radius)


def _radius(n: int, of: int) -> float:
    return 3 + 7 * math.sqrt(n / of)


def _count(axes: Axes, at: tuple[float, float], n: int, radius: float) -> None:
    """The number of cases right of the dot, left of it at the right edge."""
    px, py = axes.at(*at)
    is_late = at[0] > 0.85
    side = -radius - 4 if is_late else radius + 4
    down = 14 if at[1] > 0.95 else -6 if at[1] < 0.05 else 4
    kind = "note haloed end" if is_late else "note haloed"
    axes.drawing.add("text", x=px + side, y=py + down, text=str(n), kind=kind)


def _axes(cases: Judged) -> Axes:
    if len(cases.classes) == 2:
        name = shorten(cases.classes[1], 20)
        labels = f"Probability of {name}, as said", f"Share that is {name}"
    else:
        labels = "Probability of the decision, as said", "Share that was decided rightly"
    return Axes(Axis(labels[0]), Axis(labels[1]), title="Reliability", frame=Frame())
