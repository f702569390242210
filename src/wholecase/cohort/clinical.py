"""Clinical columns: numbers or categories, one value a patient; what is missing is counted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wholecase.cohort.cases import Case, Covariate
from wholecase.cohort.gather import Columns, Entry
from wholecase.cohort.identity import identity_key
from wholecase.cohort.mistakes import Mistakes
from wholecase.cohort.remarks import Remark
from wholecase.cohort.row import Row

Value = float | str | None


def values_of(row: Row, columns: Sequence[tuple[str, str]]) -> tuple[Value, ...]:
    """The cells of a row as numbers and words; an empty one is None."""
    return tuple(
        [row.number(column) if kind == "number" else row.text(column) for column, kind in columns]
    )


def with_covariates(
    cases: Sequence[Case],
    entries: Sequence[Entry],
    asked: Sequence[tuple[str, str]],
    columns: Columns,
    mistakes: Mistakes,
) -> list[Case]:
    """The cases with what the rows of their patients tell; a row may leave it to another.

    Two rows of a patient that tell different values are a mistake.
    """
    if not asked:
        return list(cases)
    told: dict[str, list[Entry | None]] = {}
    for entry in entries:
        first = told.setdefault(identity_key(entry.patient), [None] * len(asked))
        for place, (column, _) in enumerate(asked):
            with mistakes.heard():
                first[place] = _agreed(first[place], entry, (place, column), columns)
    return [replace(case, covariates=_covariates(case, told, asked)) for case in cases]


def covariate_remarks(cases: Sequence[Case]) -> Iterator[Remark]:
    """How many patients have no value, column by column."""
    patients = {identity_key(case.patient): case for case in cases}.values()
    for own in zip(*(case.covariates for case in patients), strict=True):
        if missing := sum(one.value is None for one in own):
            what = (
                f"{missing} of {len(own)} patients have no value; each stands at the mean of the "
                "training patients and is marked as missing"
            )
            yield Remark(f"column {own[0].column!r}", what, "missing clinical values")


def _agreed(
    first: Entry | None, entry: Entry, asked: tuple[int, str], columns: Columns
) -> Entry | None:
    place, column = asked
    here = entry.covariates[place]
    if here is None:
        return first
    there = here if first is None else first.covariates[place]
    if first is not None and _key(here) != _key(there):
        raise columns.error(
            entry,
            column,
            f"patient {entry.patient!r} has two values, {here!r} here and {there!r} on line "
            f"{first.image.line}; give one",
        )
    return entry if first is None else first


def _key(value: Value) -> Value:
    return identity_key(value) if isinstance(value, str) else value


def _covariates(
    case: Case, told: dict[str, list[Entry | None]], asked: Sequence[tuple[str, str]]
) -> tuple[Covariate, ...]:
    entries = told.get(identity_key(case.patient), [None] * len(asked))
    return tuple(
        Covariate(column, kind, None if entry is None else entry.covariates[place])
        for place, ((column, kind), entry) in enumerate(zip(asked, entries, strict=True))
    )
