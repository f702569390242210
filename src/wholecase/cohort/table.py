"""A CSV file as people have them: comma, semicolon or tab, with or without Excel's marks."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from wholecase.cohort.encodings import encoding_of, refused
from wholecase.cohort.identity import identity_key
from wholecase.cohort.mistakes import CellError, Mistakes
from wholecase.cohort.row import Row
from wholecase.core.errors import ManifestError
from wholecase.core.lookup import nearest
from wholecase.core.regular import why_irregular

DELIMITERS = (",", ";", "\t")
ANNOUNCES = "sep="
"""How a first line begins that tells Excel the separator; it holds no cells."""
MOST_BYTES, MOST_ROWS = 2**29, 2_000_000
"""A larger table is not read: in memory a row of an image takes a kilobyte."""
BLOCK = 2**20
LONGEST_LINE, MOST_COLUMNS = 2**20, 1000
"""Beyond these a file is no table, whatever its name; letters and cells."""


@dataclass(frozen=True)
class Table:
    """A header and the rows below it, read as they are asked for."""

    columns: tuple[str, ...]
    """As they are read: in the spelling that is known, where one is."""
    rows: Iterator[Row]


def read_table(path: Path, required: Sequence[str]) -> Iterator[Row]:
    """The rows of a table with a header, one at a time, blank lines left out.

    Raises:
        ManifestError: the file cannot be read, is no table, lacks a required column, or a row has
            more or fewer cells than the header.
    """
    return open_table(path, required).rows


def open_table(
    path: Path,
    required: Sequence[str],
    known: Sequence[str] = (),
    mistakes: Mistakes | None = None,
) -> Table:
    """The header, and the rows as `read_table` gives them.

    A column that differs in capitals, blanks or dashes alone from a required or known one is that
    one. Where `mistakes` are gathered, a row with another number of cells is one of them.

    Raises:
        ManifestError: as `read_table`.
    """
    records = _records(path, required)
    _, header = next(records, (1, []))
    header = _renamed(header, (*required, *known))
    _check_header(path, header, required)
    return Table(tuple(header), _rows(path, header, records, mistakes))


def column_key(column: str) -> str:
    """What spellings of one column share.

    >>> column_key("Train only") == column_key("train_only")
    True
    """
    return re.sub(r"[\s_.-]+", "_", identity_key(column).casefold())


def _rows(
    path: Path,
    header: list[str],
    records: Iterator[tuple[int, list[str]]],
    mistakes: Mistakes | None,
) -> Iterator[Row]:
    width, line = len(header), 0
    for line, record in records:
        if len(record) == width:
            yield Row(path, line, dict(zip(header, record, strict=True)))
        elif mistakes is None:
            raise _misfit(path, line, header, record)
        else:
            with mistakes.heard():
                raise _misfit(path, line, header, record)
    if not line:
        raise ManifestError(f"{path}, line 2: there are no rows below the header; add some")


@contextmanager
def _opened(path: Path) -> Iterator[TextIOWrapper]:
    """The file as text; a device or a pipe, which may never end, is not opened."""
    if irregular := why_irregular(path):
        why = irregular.partition(";")[0]
        raise ManifestError(f"{path}: cannot be read ({why}); check the path")
    try:
        found = path.stat()
        if found.st_size > MOST_BYTES:
            raise ManifestError(
                f"{path}: {found.st_size / 2**20:.0f} MiB are more than is read of a table "
                f"({MOST_BYTES / 2**20:.0f} MiB); take out columns that nothing reads, or part it"
            )
        if found.st_size > 2 * MOST_ROWS and (rows := _line_count(path)) > MOST_ROWS:
            raise ManifestError(
                f"{path}: {rows} lines are more than is read of a table ({MOST_ROWS}), since each "
                "takes a kilobyte of memory; part it"
            )
        file = path.open(encoding=encoding_of(path), newline="")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ManifestError(f"{path}: cannot be read ({why}); check the path") from error
    with file:
        yield file


def _line_count(path: Path) -> int:
    """The ends of lines in a file, of whichever system; without holding it in memory."""
    ends = {b"\n": 0, b"\r": 0}
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            ends = {end: count + block.count(end) for end, count in ends.items()}
    return max(ends.values())


def _lines(path: Path, file: TextIOWrapper) -> Iterator[str]:
    # one at a time: as one text, a long table would take four bytes a letter
    number = 0
    try:
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise ManifestError(
                    f"{path}, line {number}: the line is longer than {LONGEST_LINE} letters, as in "
                    "no table; save the table as CSV in UTF-8"
                )
            yield line
    except UnicodeDecodeError as error:
        raise refused(path, file.encoding) from error
    except UnicodeError as error:  # of UTF-16 without its mark, as nobody writes it
        raise refused(path, "utf-16") from error


def _records(path: Path, required: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; cells lose their outer blanks."""
    with _opened(path) as file:
        delimiter = _delimiter(_lines(path, file), required)
        file.seek(0)
        reader = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
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
            if any(record) and (line > 1 or record[0] != ANNOUNCES):
                yield line, record


def _delimiter(lines: Iterator[str], required: Sequence[str]) -> str:
    """The sign that cuts the header into most of the required columns, else most cells."""
    header = next((line for line in lines if line.strip()), "")
    if announced := _announced(header):
        return announced
    wanted = {column_key(column) for column in required}

    def fit(delimiter: str) -> tuple[int, int]:
        cells = [column_key(cell.strip().strip('"')) for cell in header.split(delimiter)]
        return len(set(cells) & wanted), len(cells)

    return max(DELIMITERS, key=fit)


def _announced(line: str) -> str:
    """The separator that Excel's first line `sep=;` tells; empty where the line is another.

    >>> _announced("sep=;"), _announced("sep=")
    (';', '')
    """
    sign = line.removeprefix(ANNOUNCES)[:1] if line.startswith(ANNOUNCES) else ""
    return sign if sign in {*DELIMITERS, "|"} else ""


def _renamed(header: list[str], known: Sequence[str]) -> list[str]:
    names = {column_key(column): column for column in reversed(known)}
    return [
        column if column in known else names.get(column_key(column), column) for column in header
    ]


def _check_header(path: Path, header: list[str], required: Sequence[str]) -> None:
    named = Counter(column for column in header if column)
    if not named:
        raise ManifestError(f"{path}, line 1: the file is empty; it needs {', '.join(required)}")
    if len(header) > MOST_COLUMNS:
        raise ManifestError(
            f"{path}, line 1: {len(header)} columns are more than a table of images has; take out "
            "those that nothing reads"
        )
    for column in required:
        if column not in named:
            raise CellError(
                path,
                1,
                column,
                f"the header lacks it{nearest(column, named)}; rename or add the column",
            )
    if twice := next((column for column, times in named.items() if times > 1), None):
        what = "the header has it twice, perhaps in other capitals; rename one of them"
        raise CellError(path, 1, twice, what)


def _misfit(path: Path, line: int, header: list[str], record: list[str]) -> CellError:
    where = header[-1] if len(record) > len(header) else header[len(record)]
    what = (
        f"the row has {len(record)} cells, the header {len(header)}; add what is missing, or put "
        "cells that hold the separator in quotes"
    )
    return CellError(path, line, where, what)
