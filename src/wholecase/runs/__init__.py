"""What lies where in a run folder."""

from wholecase.runs.claim import CLAIM, claimed
from wholecase.runs.layout import SCHEMA, FoldFolder, RunFolder, read_rows, write_rows
from wholecase.runs.manifest import manifest_of

__all__ = [
    "CLAIM",
    "SCHEMA",
    "FoldFolder",
    "RunFolder",
    "claimed",
    "manifest_of",
    "read_rows",
    "write_rows",
]
