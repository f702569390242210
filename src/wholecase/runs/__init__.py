"""What lies where in a run folder."""

from wholecase.runs.claim import CLAIM, claimed
from wholecase.runs.layout import FINAL, SCHEMA, FoldFolder, RunFolder, read_rows, write_rows

__all__ = [
    "CLAIM",
    "FINAL",
    "SCHEMA",
    "FoldFolder",
    "RunFolder",
    "claimed",
    "read_rows",
    "write_rows",
]
