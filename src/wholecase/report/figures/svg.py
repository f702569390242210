"""SVG, element by element: built as a tree, so that text and attributes escape themselves."""

from typing import final
from xml.etree import ElementTree as ET


@final
class Drawing:
    """A picture of fixed coordinates that scales with its place on the page.

    Colours come from the page's style sheet by class, so that light, dark and print share it.
    """

    def __init__(self, width: int | float, height: int | float, title: str) -> None:
        self.root = ET.Element(
            "svg",
            {
                "viewBox": f"0 0 {tidy(width)} {tidy(height)}",
                "role": "img",
                "aria-label": title,
                "class": "figure",
            },
        )

    def add(
        self, tag: str, *, text: str = "", tip: str = "", link: str = "", **attributes: object
    ) -> None:
        """Append an element; `tip` is shown on hover, `kind` becomes its class.

        With a `link` a click on it leads there; by keyboard one goes by the table that says the
        same. An underscore in an attribute's name stands for a hyphen.
        """
        names = {"kind": "class"}
        place = self.root
        if link:
            self.root.set("role", "group")  # what is an image has nothing in it that can be asked
            place = ET.SubElement(self.root, "a", {"href": link, "tabindex": "-1"})
        element = ET.SubElement(
            place,
            tag,
            {names.get(k, k.replace("_", "-")): tidy(v) for k, v in attributes.items()},
        )
        if tip:
            ET.SubElement(element, "title").text = tip
        if text:
            element.text = text

    def markup(self) -> str:
        """The picture as text to stand in a page."""
        return ET.tostring(self.root, encoding="unicode")


def tidy(value: object) -> str:
    """An attribute's value; numbers to a tenth of a pixel.

    >>> tidy(3.14159), tidy(2.0), tidy("none")
    ('3.1', '2', 'none')
    """
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)


def shorten(text: str, letters: int) -> str:
    """Text that fits its place.

    >>> shorten("adenocarcinoma", 8), shorten("luad", 8)
    ('adenoca…', 'luad')
    """
    return text if len(text) <= letters else text[: max(letters - 1, 1)] + "…"
