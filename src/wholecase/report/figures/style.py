"""The style of the page's figures for a file of its own: light, and without variables."""

import re
from functools import cache
from importlib.resources import files

EXTRA = (
    "svg { color-scheme: light; font-family: var(--sans); font-size: 13px; }",
    "svg .paper { fill: var(--paper); }",
    "svg .heading { font-size: 17px; font-weight: 650; }",
)
"""What only a file needs: its ground, and the title that the page writes above a figure."""


@cache
def light_style() -> str:
    """The rules of the drawings, every colour and font written out.

    A file must look the same wherever it is opened: some programs know no variables, and none
    shall show a light figure on a dark ground.
    """
    named = _light()
    rules = re.findall(r"^svg[^{]*\{[^}]*\}|(?<=\} )svg[^{]*\{[^}]*\}", _sheet("figures.css"), re.M)
    kept = [r for r in rules if ":hover" not in r and not r.startswith("svg.figure")]
    return "\n".join(
        re.sub(r"var\((--[\w-]+)\)", lambda m: named[m[1]], r) for r in (*kept, *EXTRA)
    )


def _light() -> dict[str, str]:
    """The variables of the page by day: the first block of its style."""
    (block,) = re.findall(r"^:root \{(.*?)\}", _sheet("base.css", "core"), re.M | re.S)
    return dict(re.findall(r"(--[\w-]+): (.*?);", block))


def _sheet(name: str, package: str = "report") -> str:
    return (files(f"wholecase.{package}") / "templates" / name).read_text(encoding="utf-8")
