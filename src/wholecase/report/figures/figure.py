"""A figure of the page: its drawing, and all that is said around it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A few numbers beside a drawing; a column's name may be a term."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """One or more drawings with their heading and the sentences that read them."""

    name: str
    svg: str
    caption: str
    term: str = ""
    """The word of the heading that the glossary explains, where its name is another."""
    narrow: str = ""
    """The same for a small screen, where the figure is as wide as the page."""
    beside: str = ""
    """A second drawing, beside the first where there is room; the figure is then wide."""
    keys: tuple[tuple[str, str], ...] = ()
    """The legend above: class of the mark, and what it stands for."""
    table: Table | None = None
