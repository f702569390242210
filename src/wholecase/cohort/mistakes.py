"""What is wrong with a table: one mistake a cell, and one sentence for all that are of a kind."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import final

from wholecase.core.errors import ManifestError

EXAMPLES = 3
"""Rows of a kind of mistake that are named; the others are counted."""
NAMED = re.compile(r"""'[^']*'|"[^"]*"|-?\d[\d.,]*""")
"""What differs between two mistakes of one kind: names and numbers."""


@final
class CellError(ManifestError):
    """A mistake in one cell."""

    def __init__(self, file: Path, line: int, column: str, what: str, value: str = "") -> None:
        super().__init__(file, line, column, what, value)
        self.file, self.line, self.column = file, line, column
        self.what = what
        """What is wrong, and after a semicolon the cure."""
        self.value = value
        """What the cell holds, where that is known."""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column!r}: {self.what}"

    @property
    def kind(self) -> str:
        """The same for all mistakes that differ in names and numbers alone."""
        return f"{self.column}: {NAMED.sub('...', self.what.partition(';')[0])}"


@final
class Mistakes:
    """Gathers mistakes while a table is read; of each kind the first, examples and a count."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Run a block; a mistake in it ends the block, and no more."""
        try:
            yield
        except CellError as mistake:
            self._kinds.setdefault(mistake.kind, _Kind(mistake)).see(mistake)

    def errors(self) -> tuple[CellError, ...]:
        """One mistake per kind, in the order of reading."""
        return tuple(kind.error() for kind in self._kinds.values())


@final
class _Kind:
    """The mistakes of one kind."""

    def __init__(self, first: CellError) -> None:
        self._first = first
        self._count = 0
        self._others: dict[str, CellError] = {}  # by value, so that examples differ

    def see(self, mistake: CellError) -> None:
        self._count += 1
        if self._count > 1 and len(self._others) < EXAMPLES:
            self._others.setdefault(mistake.value or str(mistake.line), mistake)

    def error(self) -> CellError:
        first, more = self._first, self._count - 1
        if not more:
            return first
        rows = "1 more row is" if more == 1 else f"{more} more rows are"
        examples = ", ".join(map(_example, self._others.values()))
        what = f"{first.what}; {rows} wrong in this way, such as {examples}"
        return CellError(first.file, first.line, first.column, what, first.value)


def _example(mistake: CellError) -> str:
    return f"line {mistake.line}" + (f" ({mistake.value!r})" if mistake.value else "")
