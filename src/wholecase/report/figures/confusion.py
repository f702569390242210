"""What was decided against what is true, as counts and shares of each true class."""

from wholecase.evaluation import confusion
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import Drawing, shorten
from wholecase.report.wording import percent

LEFT, TOP, SIDE = 112.0, 46.0, 320.0
"""Margins for the names, and the side of the matrix, in pixels."""


def draw_confusion(cases: Judged) -> str:
    """A shaded matrix: rows are true classes, columns decisions."""
    n = len(cases.classes)
    counts = confusion(cases.truth, cases.decision, n)
    drawing = Drawing(LEFT + SIDE + 8, TOP + SIDE + 8, "Confusion matrix")
    _names(drawing, cases.classes)
    for row in range(n):
        total = int(counts[row].sum())
        for column in range(n):
            own = int(counts[row, column])
            tip = (
                f"{own} of {total} cases that are {cases.classes[row]} "
                f"were called {cases.classes[column]}"
            )
            _cell(drawing, (row, column, n), (own, total), tip)
    return drawing.markup()


def _cell(drawing: Drawing, place: tuple[int, int, int], own: tuple[int, int], tip: str) -> None:
    row, column, n = place
    side = SIDE / n
    x, y = LEFT + column * side, TOP + row * side
    share = own[0] / own[1] if own[1] else 0.0
    kind = "cell right" if row == column else "cell wrong"
    drawing.add(
        "rect",
        x=x + 2,
        y=y + 2,
        width=side - 4,
        height=side - 4,
        rx=6,
        kind=kind,
        fill_opacity=f"{0.06 + 0.84 * share:.2f}",
        tip=tip,
    )
    ink = "count middle on-shade" if share > 0.55 else "count middle"
    size = 30 if n <= 3 else 30 * 3 / n
    centre = (x + side / 2, y + side / 2)
    drawing.add("text", x=centre[0], y=centre[1] + 4, text=str(own[0]), kind=ink, font_size=size)
    if own[1]:
        small = ink.replace("count", "share")
        text = percent(share)
        drawing.add("text", x=centre[0], y=centre[1] + 4 + 0.75 * size, text=text, kind=small)


def _names(drawing: Drawing, classes: tuple[str, ...]) -> None:
    side = SIDE / len(classes)
    drawing.add("text", x=LEFT + SIDE / 2, y=14, text="Decision", kind="label middle")
    middle = TOP + SIDE / 2
    turn = f"rotate(-90 14 {middle:.1f})"
    drawing.add("text", x=14, y=middle, text="Truth", kind="label middle", transform=turn)
    for i, name in enumerate(classes):
        across, down = LEFT + (i + 0.5) * side, TOP + (i + 0.5) * side
        short = shorten(name, int(side / 8))
        drawing.add("text", x=across, y=TOP - 8, text=short, kind="tick middle", tip="")
        drawing.add("text", x=LEFT - 8, y=down + 4, text=shorten(name, 11), kind="tick end")
