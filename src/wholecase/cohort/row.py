"""One line of a table, its cells read as what they should be."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.mistakes import CellError
from wholecase.core.lookup import nearest

FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""How a cell may say yes or no, in any capitals."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What moves a terminal's cursor or ends a file's name."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line; every error names file, line and column."""

    file: Path
    line: int
    """Where the row starts, counted from 1."""
    cells: Mapping[str, str]
    """Text without outer blanks, by column."""

    def error(self, column: str, what: str) -> CellError:
        """An error about one cell."""
        return CellError(self.file, self.line, column, what, self.cells.get(column, ""))

    def text(self, column: str) -> str | None:
        """The cell as it stands; None where it is empty or the table lacks the column."""
        return self.cells.get(column) or None

    def required(self, column: str) -> str:
        """The cell, which must not be empty nor hold what cannot be printed."""
        if text := self.text(column):
            if not text.isprintable() and CONTROL.search(text):
                raise self.error(column, f"{text[:40]!r} holds a control character; take it out")
            return text
        raise self.error(column, f"the cell is empty; every row needs a {column}")

    def choice(self, column: str, known: Sequence[str]) -> str:
        """The cell, which must be one of the known words."""
        text = self.text(column)
        if text is not None and text in known:
            return text
        said = f"{text!r} is unknown{nearest(text, known)}" if text else "the cell is empty"
        raise self.error(column, f"{said}; write one of {', '.join(known)}")

    def number(self, column: str) -> float | None:
        """The cell as a finite number, None where it is empty."""
        text = self.text(column)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            cure = "write a decimal point" if "," in text else "write digits or leave it empty"
            raise self.error(column, f"{text!r} is no number; {cure}")
        return value

    def flag(self, column: str) -> bool:
        """The cell as yes or no; empty is no."""
        text = self.text(column)
        if text is None:
            return False
        if text.lower() not in FLAGS:
            raise self.error(column, f"{text!r} is neither yes nor no; write true or false")
        return FLAGS[text.lower()]
