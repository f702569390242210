"""A CSV file as people have them: comma, semicolon or tab, with or without Excel's marks."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from wholecase.cohort.mistakes import Mistakes
from wholecase.cohort.row import Row
from wholecase.core.errors import ManifestError
from wholecase.core.lookup import nearest
from wholecase.core.regular import why_irregular

DELIMITERS = (",", ";", "\t")


def read_table(
    path: Path, required: Sequence[str], mistakes: Mistakes | None = None
) -> Iterator[Row]:
    """The rows of a UTF-8 table with a header, one at a time, blank lines left out.

    Raises:
        ManifestError: the file cannot be read, is no table, lacks a required column, or a row has
            more or fewer cells than the header; the last is a mistake where they are gathered.
    """
    mistakes = mistakes or Mistakes(gather=False)
    records = _records(path, _content(path), required)
    _, header = next(records, (1, []))
    _check_header(path, header, required)
    width, line = len(header), 0
    for line, record in records:
        if len(record) == width:
            yield Row(path, line, dict(zip(header, record, strict=True)))
        else:
            with mistakes.heard():
                raise _misfit(path, line, header, record)
    if not line:
        raise ManifestError(f"{path}, line 2: there are no rows below the header; add some")


def _content(path: Path) -> bytes:
    """The bytes of a file of UTF-8 text."""
    if irregular := why_irregular(path):
        why = irregular.partition(";")[0]
        raise ManifestError(f"{path}: cannot be read ({why}); check the path")
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise ManifestError(f"{path}: cannot be read ({why}); check the path") from error
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ManifestError(
            f"{path}, line {line}: not UTF-8 text; save the table as CSV in UTF-8"
        ) from error
    return content


def _lines(content: bytes) -> Iterator[str]:
    # one at a time: as one text, a long table would take four bytes a letter
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")


def _records(
    path: Path, content: bytes, required: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; cells lose their outer blanks."""
    delimiter = _delimiter(content, required)
    reader = csv.reader(_lines(content), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise ManifestError(
                f"{path}, line {line}: no CSV row ({error}); look for a stray quotation mark"
            ) from error
        if any(record):
            yield line, record


def _delimiter(content: bytes, required: Sequence[str]) -> str:
    """The sign that cuts the header into most of the required columns, else most cells."""
    header = next((line for line in _lines(content) if line.strip()), "")

    def fit(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"') for cell in header.split(delimiter)]
        return len(set(cells) & set(required)), len(cells)

    return max(DELIMITERS, key=fit)


def _check_header(path: Path, header: list[str], required: Sequence[str]) -> None:
    named = [column for column in header if column]
    if not named:
        raise ManifestError(f"{path}, line 1: the file is empty; it needs {', '.join(required)}")
    for column in required:
        if column not in named:
            raise ManifestError(
                f"{path}, line 1, column {column!r}: the header lacks it{nearest(column, named)}; "
                "rename or add the column"
            )
    for column in named:
        if named.count(column) > 1:
            raise ManifestError(
                f"{path}, line 1, column {column!r}: the header has it twice; rename one of them"
            )


def _misfit(path: Path, line: int, header: list[str], record: list[str]) -> ManifestError:
    where = header[-1] if len(record) > len(header) else header[len(record)]
    return ManifestError(
        f"{path}, line {line}, column {where!r}: the row has {len(record)} cells, the header "
        f"{len(header)}; add what is missing, or put cells that hold the separator in quotes"
    )
