"""Figures of the page as files of their own: styled, with title and legend, on white."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final
from xml.etree import ElementTree as ET

from wholecase.report.figures.axes import Number
from wholecase.report.figures.style import light_style
from wholecase.report.figures.svg import tidy

NAMESPACE = "http://www.w3.org/2000/svg"
PAD, HEAD, LEGEND, NAME, GAP = 24, 34, 26, 22, 28
"""Pixels: around everything, for the title, for the legend, for a panel's name, between panels."""
COLUMNS = 5
ENLARGED = 1.5
"""How much larger than drawn the file opens; it scales to any size."""
LETTER = 6.8
"""About the width of a letter of the legend, so that what stands beside it keeps clear."""
MARKS: dict[str, tuple[str, str]] = {
    "": ("line", "curve valid"),
    "train": ("line", "curve train"),
    "chance": ("line", "chance"),
    "after": ("line", "curve main"),
    "before": ("circle", "before-bin"),
    "whisker": ("line", "whisker"),
    "kept": ("circle", "kept"),
}
"""What stands in a legend for each class of the page's legends: element and class."""


@final
@dataclass(frozen=True)
class Sheet:
    """A figure file: its title, its legend, and panels with their names, in rows."""

    title: str
    panels: Sequence[tuple[str, str]]
    """Name, empty where none is needed, and drawing."""
    keys: Sequence[tuple[str, str]] = ()
    """Class of the mark, and what it stands for."""

    def markup(self) -> str:
        """The figure as a whole XML document, the same bytes for the same run."""
        drawings = [(name, ET.fromstring(svg)) for name, svg in self.panels]  # noqa: S314 (our own)
        sizes = [_size(drawing) for _, drawing in drawings]
        wide, high = (max(size[side] for size in sizes) for side in (0, 1))
        high += NAME if any(name for name, _ in drawings) else 0
        columns = min(len(drawings), COLUMNS)
        rows = math.ceil(len(drawings) / columns)
        top = PAD + HEAD + (LEGEND if self.keys else 0)
        width = max(columns * (wide + GAP) - GAP, self._least()) + 2 * PAD
        root = _canvas(self.title, width, top + rows * (high + GAP) - GAP + PAD)
        self._legend(root)
        for i, (name, drawing) in enumerate(drawings):
            at = PAD + i % columns * (wide + GAP), top + i // columns * (high + GAP)
            _panel(root, name, drawing, at)
        ET.indent(root, "")
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"

    def _least(self) -> Number:
        """The width that title and legend need."""
        legend = sum(_width(text) for _, text in self.keys)
        return max(legend, 9.5 * len(self.title))

    def _legend(self, root: ET.Element) -> None:
        x, y = float(PAD), PAD + HEAD + 4.0
        for kind, text in self.keys:
            tag, style = MARKS[kind]
            places: dict[str, Number] = {"x1": x, "x2": x + 22, "y1": y, "y2": y}
            if tag == "circle":
                places = {"cx": x + 11, "cy": y, "r": 5.5}
            _add(root, tag, places, style)
            _add(root, "text", {"x": x + 30, "y": y + 4}, "note").text = text
            x += _width(text)


def _width(text: str) -> float:
    return 30 + LETTER * len(text) + 18


def _canvas(title: str, width: Number, height: Number) -> ET.Element:
    root = ET.Element(
        "svg",
        {
            "xmlns": NAMESPACE,
            "viewBox": f"0 0 {tidy(width)} {tidy(height)}",
            "width": tidy(ENLARGED * width),
            "height": tidy(ENLARGED * height),
            "role": "img",
            "class": "figure",
        },
    )
    ET.SubElement(root, "title").text = title
    ET.SubElement(root, "style").text = light_style()
    _add(root, "rect", {"width": width, "height": height}, "paper")
    _add(root, "text", {"x": PAD, "y": PAD + 16}, "heading").text = title
    return root


def _panel(root: ET.Element, name: str, drawing: ET.Element, at: tuple[Number, Number]) -> None:
    x, y = at
    if name:
        _add(root, "text", {"x": x, "y": y + 14}, "name").text = name
        y += NAME
    place = ET.SubElement(root, "g", {"transform": f"translate({tidy(x)} {tidy(y)})"})
    place.extend(list(drawing))


def _size(drawing: ET.Element) -> tuple[float, float]:
    _, _, width, height = drawing.attrib["viewBox"].split()
    return float(width), float(height)


def _add(root: ET.Element, tag: str, places: Mapping[str, Number], kind: str) -> ET.Element:
    shown = {name: tidy(float(value)) for name, value in places.items()}
    return ET.SubElement(root, tag, {**shown, "class": kind})
