"""The outer folds of a run: who stood where, how training went, what was chosen on whom."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wholecase.report.records import SIDES, Epoch, FoldRecord, InnerCase
from wholecase.report.table_cells import (
    Row,
    cell,
    finite,
    measured,
    probabilities,
    read_object,
    rows_of,
    whole,
)
from wholecase.runs import RunFolder

COMPARED = ("active_triplets", "embedding_distance")
"""Of an epoch, where cases were learnt by comparing them."""


def folds_of(
    folder: RunFolder, metrics: Mapping[str, Any], classes: tuple[str, ...]
) -> tuple[FoldRecord, ...]:
    """The folds in order, each with what the run kept of it."""
    rows = rows_of(folder.splits)
    metrics_of = {whole(f["fold"]): f.get("metrics") or {} for f in metrics.get("folds") or ()}
    numbers = sorted({whole(row["fold"]) for row in rows} | set(metrics_of))
    return tuple(
        replace(
            _sides(number, [row for row in rows if whole(row["fold"]) == number]),
            epochs=tuple(
                _epoch(row)
                for row in rows_of(folder.fold(number).history)
                if row.get("training", "first") == "first"
            ),
            choices=read_object(folder.fold(number).choices),
            metrics={name: measured(value) for name, value in metrics_of.get(number, {}).items()},
            inner=_inner(folder.fold(number).inner, classes),
        )
        for number in numbers
    )


def _sides(number: int, rows: list[dict[str, str]]) -> FoldRecord:
    sides = {side: [row for row in rows if row["side"] == side] for side in SIDES}
    return FoldRecord(
        number=number,
        patients={side: len({r["patient_id"] for r in members}) for side, members in sides.items()},
        cases={side: len(members) for side, members in sides.items()},
    )


def _epoch(row: Row) -> Epoch:
    return Epoch(
        number=whole(row.get("epoch")),
        train_loss=finite(row.get("train_loss")),
        valid_loss=finite(row.get("valid_loss")),
        is_best=whole(row.get("best")) == 1,
        p_positive=finite(row.get("valid_p_positive")),
        p_negative=finite(row.get("valid_p_negative")),
        figures={name: told for name in COMPARED if (told := finite(row.get(name))) is not None},
    )


def _inner(path: Path, classes: tuple[str, ...]) -> tuple[InnerCase, ...]:
    return tuple(
        InnerCase(
            case=cell(row, "case_id", path),
            label=cell(row, "label", path),
            probabilities=probabilities(row, classes, path),
        )
        for row in rows_of(path)
    )
