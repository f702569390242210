"""A pair of labelled axes, and what can be drawn on them in data units."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from wholecase.report.figures.svg import Drawing

Number = int | float
"""In data units or in pixels; `float` alone is checked to the letter."""


@dataclass(frozen=True)
class Axis:
    """One direction: what it shows, from where to where, and where ticks stand."""

    label: str
    low: Number = 0.0
    high: Number = 1.0
    ticks: tuple[Number, ...] = (0, 0.2, 0.4, 0.6, 0.8, 1)


@dataclass(frozen=True)
class Frame:
    """Size of a figure and the margins around its plot, in the figure's own pixels."""

    width: Number = 440
    height: Number = 400
    left: Number = 56
    right: Number = 16
    top: Number = 14
    bottom: Number = 52


@final
class Axes:
    """Draws in data units; the y axis points up."""

    def __init__(self, x: Axis, y: Axis, *, title: str, frame: Frame) -> None:
        self.x, self.y, self.frame = x, y, frame
        self.drawing = Drawing(frame.width, frame.height, title)
        self._ticks()

    def at(self, x: Number, y: Number) -> tuple[Number, Number]:
        """The figure's pixel of a point."""
        f = self.frame
        across = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        return (
            f.left + across * (f.width - f.left - f.right),
            f.height - f.bottom - up * (f.height - f.top - f.bottom),
        )

    def line(self, points: Iterable[tuple[Number, Number]], kind: str, tip: str = "") -> None:
        """A line through the points."""
        pixels = " ".join("{:.1f},{:.1f}".format(*self.at(x, y)) for x, y in points)
        self.drawing.add("polyline", points=pixels, kind=kind, tip=tip)

    def area(self, points: Iterable[tuple[Number, Number]], kind: str) -> None:
        """What the points enclose."""
        pixels = " ".join("{:.1f},{:.1f}".format(*self.at(x, y)) for x, y in points)
        self.drawing.add("polygon", points=pixels, kind=kind)

    def dot(self, x: Number, y: Number, radius: Number, kind: str, tip: str = "") -> None:
        """A disc; its radius is in pixels."""
        cx, cy = self.at(x, y)
        self.drawing.add("circle", cx=cx, cy=cy, r=float(radius), kind=kind, tip=tip)

    def bar(self, corners: tuple[Number, Number, Number, Number], kind: str, tip: str = "") -> None:
        """A rectangle from (x0, y0) to (x1, y1)."""
        left, bottom = self.at(corners[0], corners[1])
        right, top = self.at(corners[2], corners[3])
        self.drawing.add(
            "rect",
            x=left,
            y=top,
            width=max(right - left, 0.0),
            height=max(bottom - top, 0.0),
            kind=kind,
            tip=tip,
        )

    def text(self, x: Number, y: Number, text: str, kind: str = "note", dy: Number = 0) -> None:
        """Text whose anchor is set by its class; `dy` moves it down, in pixels."""
        px, py = self.at(x, y)
        self.drawing.add("text", x=px, y=py + dy, text=text, kind=kind)

    def legend(self, entries: Sequence[tuple[str, str]], x: Number, y: Number) -> None:
        """Short lines with names, downwards from a point in data units: (class, name)."""
        px, py = self.at(x, y)
        for i, (kind, name) in enumerate(entries):
            row = py + 19 * i
            self.drawing.add("line", x1=px, x2=px + 20, y1=row, y2=row, kind=kind)
            self.drawing.add("text", x=px + 27, y=row + 4, text=name, kind="note")

    def markup(self) -> str:
        """The figure as text to stand in a page."""
        return self.drawing.markup()

    def _ticks(self) -> None:
        f, add = self.frame, self.drawing.add
        for tick in self.x.ticks:
            px, bottom = self.at(tick, self.y.low)
            add("line", x1=px, x2=px, y1=bottom, y2=f.top, kind="grid")
            add("text", x=px, y=bottom + 18, text=f"{tick:g}", kind="tick middle")
        for tick in self.y.ticks:
            left, py = self.at(self.x.low, tick)
            add("line", x1=left, x2=f.width - f.right, y1=py, y2=py, kind="grid")
            add("text", x=left - 8, y=py + 4, text=f"{tick:g}", kind="tick end")
        middle_x, middle_y = (f.left + f.width - f.right) / 2, (f.top + f.height - f.bottom) / 2
        add("text", x=middle_x, y=f.height - 10, text=self.x.label, kind="label middle")
        turn = f"rotate(-90 14 {middle_y:.1f})"
        add("text", x=14, y=middle_y, text=self.y.label, kind="label middle", transform=turn)


def nice_ticks(low: Number, high: Number, most: int = 5) -> tuple[Number, ...]:
    """Round numbers within a range, `most` at most.

    >>> nice_ticks(0, 0.93, 5)
    (0.0, 0.2, 0.4, 0.6, 0.8)
    >>> nice_ticks(1, 40, 4)
    (10.0, 20.0, 30.0, 40.0)
    """
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span))
    for step in (power * m for m in (0.1, 0.2, 0.5, 1, 2, 5, 10)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return tuple(round(i * step, 10) for i in range(first, last + 1))
    return (low, high)
