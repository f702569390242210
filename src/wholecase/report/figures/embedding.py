"""Where the cases of one fold lie among each other, by class, with what was decided wrongly."""

from wholecase.report.figures.axes import Axes, Axis, Frame, nice_ticks
from wholecase.report.figures.figure import Figure
from wholecase.report.records import EmbeddingMap, PlacedCase
from wholecase.report.run_record import Run

COLOURS = 7
"""That are told apart; beyond them they come again, in another shape."""
SIZE_PX, TAUGHT_PX, RING_PX = 4.2, 2.6, 7.5
SHAPES = ("disc", "square", "triangle")
"""By class, so that the figure can be read without colours."""


def embedding_figure(run: Run) -> Figure | None:
    """The figure; None where the run compares no cases."""
    table = run.embedding
    if table is None or not table.cases:
        return None
    wrong = {one.case for one in run.predictions if one.is_wrong}
    tested = [one for one in table.cases if one.is_test]
    missed = sum(one.case in wrong for one in tested)
    shares = " and ".join(f"{100 * share:.0f} %" for share in table.explained)
    return Figure(
        name="Embedding map",
        svg=_draw(run, table, wrong),
        caption=f"Fold {table.fold}: the plane in which its training cases (pale) vary most, "
        f"{shares} of their variance, and the {len(tested)} test cases in it; a ring marks the "
        f"{missed} decided wrongly. Distances here are not those that vote: the plane leaves "
        "dimensions out.",
        keys=(
            *((f"point {kind_of(number)}", name) for number, name in enumerate(run.classes)),
            ("missed", "decided wrongly"),
        ),
    )


def kind_of(number: int) -> str:
    """Shape and colour of a class.

    >>> kind_of(0), kind_of(1), kind_of(7)
    ('disc fill-0', 'square fill-1', 'square fill-0')
    """
    return f"{SHAPES[number % len(SHAPES)]} fill-{number % COLOURS}"


def _draw(run: Run, table: EmbeddingMap, wrong: set[str]) -> str:
    sides = [_axis(name, [getattr(one, name) for one in table.cases]) for name in ("x", "y")]
    axes = Axes(sides[0], sides[1], title=f"Embedding map of fold {table.fold}", frame=Frame())
    # those that were judged lie on top, the wrong ones above all
    order = sorted(table.cases, key=lambda one: (one.is_test, one.case in wrong))
    for one in order:
        number = run.classes.index(one.label) if one.label in run.classes else len(run.classes)
        _mark(axes, one, kind_of(number))
        if one.is_test and one.case in wrong:
            axes.dot(one.x, one.y, RING_PX, "missed", f"{one.case}: {one.label}, decided wrongly")
    return axes.markup()


def _mark(axes: Axes, one: PlacedCase, kind: str) -> None:
    shape, _, colour = kind.partition(" ")
    size = SIZE_PX if one.is_test else TAUGHT_PX
    colour = colour if one.is_test else f"{colour} faint"
    tip = f"{one.case}: {one.label}" if one.is_test else ""
    x, y = axes.at(one.x, one.y)
    if shape == "disc":
        axes.dot(one.x, one.y, size, colour, tip)
    elif shape == "square":
        axes.drawing.add(
            "rect", x=x - size, y=y - size, width=2 * size, height=2 * size, kind=colour, tip=tip
        )
    else:
        corners = ((0.0, -1.25), (-1.1, 0.85), (1.1, 0.85))
        points = " ".join(f"{x + size * a:.1f},{y + size * b:.1f}" for a, b in corners)
        axes.drawing.add("polygon", points=points, kind=colour, tip=tip)


def _axis(name: str, values: list[float]) -> Axis:
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    which = {"x": "First", "y": "Second"}[name]
    return Axis(f"{which} component", low, high, nice_ticks(low, high, 5))
