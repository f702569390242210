"""What lies where in a run folder."""

from wholecase.runs.layout import SCHEMA, FoldFolder, RunFolder, read_rows, write_rows

__all__ = ["SCHEMA", "FoldFolder", "RunFolder", "read_rows", "write_rows"]
