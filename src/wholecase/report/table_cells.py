"""Cells of a run's files as numbers and paths; what is missing or odd becomes nothing."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.report.records import Measured
from wholecase.runs import read_rows

Row = Mapping[str, str]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table; none where the run has no such file."""
    return read_rows(path) if path.is_file() else []


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one where the run has no such file."""
    return dict(read_json(path)) if path.is_file() else {}


def cell(row: Row, column: str, path: Path) -> str:
    """A cell that must be there.

    Raises:
        RunError: the table has no such column.
    """
    if (value := row.get(column)) is None:
        raise RunError(f"{path} has no column {column!r}; it was not written by this version")
    return value


def finite(text: object) -> float | None:
    """The finite number that a cell or a JSON value holds, if any."""
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def whole(text: object) -> int:
    """The whole number that a cell or a JSON value holds; 0 where there is none."""
    return int(finite(text) or 0)


def measured(value: object) -> Measured:
    """A metric with interval, or a bare number, as folds may have it."""
    if not isinstance(value, Mapping):
        return Measured(finite(value))
    n = value.get("n")
    return Measured(
        value=finite(value.get("value")),
        low=finite(value.get("low")),
        high=finite(value.get("high")),
        n=None if n is None else whole(n),
        reason=str(value.get("reason") or ""),
        held=_held(value.get("held")),
    )


def _held(value: object) -> tuple[float, int, int] | None:
    if not isinstance(value, Mapping) or (share := finite(value.get("share"))) is None:
        return None
    return share, whole(value.get("draws")), whole(value.get("patients"))


def probabilities(row: Row, classes: tuple[str, ...], path: Path) -> tuple[float, ...]:
    """A row's probability of each class; nan where a cell holds no number.

    Raises:
        RunError: a class has no column.
    """
    cells = [finite(cell(row, f"probability_{name}", path)) for name in classes]
    return tuple(math.nan if value is None else value for value in cells)


def inside(root: Path, path: object) -> Path | None:
    """The file, if it is there and within the run: a page must not take in foreign files."""
    if not path:
        return None
    file = (root / str(path)).resolve()
    return file if file.is_file() and file.is_relative_to(root.resolve()) else None
