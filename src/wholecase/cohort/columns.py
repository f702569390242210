"""What a manifest tells of its cases beside images and labels: sites, scanners, dates, ages."""

from collections import defaultdict
from collections.abc import Mapping

from wholecase.cohort.cases import Cohort
from wholecase.cohort.cells import COLUMNS
from wholecase.cohort.labels import Labels
from wholecase.cohort.table import open_table

PLUMBING = frozenset(COLUMNS) - {"site", "kind", "magnification", "mpp"}
"""Columns that say who a case is and where its images lie."""


def columns_of(cohort: Cohort, labels: Labels) -> dict[str, Mapping[str, str]]:
    """Column name -> case id -> what the manifest writes there, for columns that vary.

    Ids, paths and labels are left out, as are empty cells, and cells of a case whose rows differ.

    Raises:
        ManifestError: the manifest is not there any more, or changed.
    """
    known = {image.line: case.id for case in cohort.cases for image in case.images}
    own = (*labels.columns, *labels.clinical)
    table = open_table(cohort.path, ("case_id",), (*own, *COLUMNS))
    told = [c for c in table.columns if c and c not in PLUMBING and c not in labels.columns]
    found: dict[str, dict[str, set[str]]] = {c: defaultdict(set) for c in told}
    for row in table.rows:
        case = known.get(row.line)
        for column in told if case is not None else ():
            if (text := row.text(column)) and case is not None:
                found[column][case].add(text)
    agreed = {
        column: {case: next(iter(texts)) for case, texts in cells.items() if len(texts) == 1}
        for column, cells in found.items()
    }
    return {column: cells for column, cells in agreed.items() if len(set(cells.values())) > 1}
