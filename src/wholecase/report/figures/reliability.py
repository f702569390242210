"""What was said against what was so: are the probabilities honest?"""

import numpy as np
from jaxtyping import Float, Int

from wholecase.evaluation import reliability
from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import shorten

FEW = 100
"""Below so many cases five bins instead of ten: a bin of two cases says nothing."""


def draw_reliability(cases: Judged) -> str:
    """Bins of cases by probability, with the share that was so and its 95 % interval.

    With more than two classes it is the decision that is judged: how often it was right against
    how likely it was called.
    """
    truth, probability = _said(cases)
    points = reliability(truth, probability, 5 if len(truth) < FEW else 10)
    axes = _axes(cases)
    axes.line([(0, 0), (1, 1)], "chance")
    for x, low, high in zip(points.predicted, points.low, points.high, strict=True):
        tip = f"95 % interval {low:.2f}–{high:.2f}"
        axes.line([(float(x), float(low)), (float(x), float(high))], "whisker", tip)
    xy = list(zip(points.predicted.tolist(), points.observed.tolist(), strict=True))
    axes.line(xy, "curve main thin")
    for (x, y), n in zip(xy, points.count.tolist(), strict=True):
        radius = 4 + 9 * (n / len(truth)) ** 0.5
        axes.dot(x, y, radius, "bin", f"{n} cases: said {x:.2f}, was {y:.2f}")
        side = "note end" if x > 0.85 else "note"
        axes.text(
            x - 0.04 if x > 0.85 else x + 0.04,
            y,
            str(n),
            side,
            dy=16 if y > 0.95 else -8 if y < 0.05 else 4,
        )
    axes.legend([("chance", "perfectly honest")], 0.03, 0.95)
    return axes.markup()


def _said(cases: Judged) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    if len(cases.classes) == 2:
        return cases.against_rest(1)
    rows = np.arange(len(cases.truth))
    right = (cases.truth == cases.decision).astype(np.int64)
    return right, cases.probabilities[rows, cases.decision]


def _axes(cases: Judged) -> Axes:
    if len(cases.classes) == 2:
        name = shorten(cases.classes[1], 20)
        labels = f"Probability of {name}, as said", f"Share that is {name}"
    else:
        labels = "Probability of the decision, as said", "Share that was decided rightly"
    return Axes(Axis(labels[0]), Axis(labels[1]), title="Reliability", frame=Frame())
