"""What a spreadsheet does to a table when it saves it: rounds ids, makes dates, runs cells."""

import re
from typing import final

from wholecase.cohort.remarks import Remark

ROUNDED = re.compile(
    r"[+-]?(?:\d[.,]\d+E[+-]?\d+|\d+E\+\d+)|[1-9]\d{14}0{3,}", re.IGNORECASE | re.ASCII
)
"""As a power of ten, or with zeros behind the fifteen digits that a spreadsheet keeps."""
MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    *("Mrz", "M\u00e4r", "Mai", "Okt", "Dez"),
    *("janv", "f\u00e9vr", "mars", "avr", "juin", "juil", "ao\u00fbt", "sept", "d\u00e9c"),
)
"""As English, German and French spreadsheets shorten them."""
MONTH = f"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})\\.?"
DATED = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}{MONTH}(?:[-. ]\d{{2,4}})?|{MONTH}[- .]\d{{2,4}}"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
)
LOST = re.compile(r"nan|none|null|nat|<na>|n/a|#[A-Z/0]+[!?]?", re.IGNORECASE)
RUN = frozenset("=+-@")
"""How a cell begins that a spreadsheet runs."""
EXAMPLES = 3


def damage_of(name: str) -> str | None:
    """What seems to have become of an id; None where it looks as somebody wrote it.

    >>> damage_of("1.2E+14"), damage_of("1-Mar"), damage_of("P-17")
    ('rounded', 'made a date', None)
    """
    if ROUNDED.fullmatch(name):
        return "rounded"
    if DATED.fullmatch(name):
        return "made a date"
    return "lost" if LOST.fullmatch(name) else None


def would_run(cell: str) -> bool:
    """Whether a spreadsheet takes a cell for a formula; numbers are none.

    >>> would_run("=1+1"), would_run("-5.2"), would_run("-"), would_run("a-b")
    (True, False, False, False)
    """
    if cell[:1] not in RUN or len(cell) < 2:
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


@final
class Runners:
    """Cells seen that a spreadsheet would run."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[str] = []

    def see(self, line: int, column: str, cell: str) -> None:
        """Look at one cell."""
        if would_run(cell):
            self._count += 1
            if self._count <= EXAMPLES:
                self._first.append(f"line {line}, column {column!r}: {cell[:40]!r}")

    def remarks(self) -> tuple[Remark, ...]:
        """One remark on all of them, or none."""
        if not self._count:
            return ()
        what = (
            f"{self._count} begin with = + - or @ ({'; '.join(self._first)}); a spreadsheet would "
            "run them and save what it makes of them"
        )
        return (Remark("cells", what, "cells that a spreadsheet would run"),)
