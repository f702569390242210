"""A run folder on disk -> a `Run`. Only `run.json` must be there; the rest may be missing."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.report.run import (
    SIDES,
    CasePictures,
    Deletion,
    Epoch,
    Exclusion,
    FoldRecord,
    Measured,
    Prediction,
    Run,
    TissueRecord,
    UsedCase,
)
from wholecase.runs import RunFolder, read_rows

Row = Mapping[str, str]


def read_run(root: Path) -> Run:
    """Everything that the report says about a run.

    Raises:
        RunError: the folder is no finished run, or one of its tables lacks a column.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    classes = tuple(str(name) for name in facts.get("classes") or ())
    metrics = _json(folder.metrics)
    return Run(
        root=root,
        facts=facts,
        classes=classes,
        cases=tuple(_used(row, folder.cases) for row in _rows(folder.cases)),
        exclusions=tuple(_exclusion(row) for row in _rows(folder.exclusions)),
        predictions=tuple(
            _prediction(row, classes, folder.predictions) for row in _rows(folder.predictions)
        ),
        folds=_folds(folder, metrics),
        pooled=_measures(metrics.get("pooled") or {}),
        spread=_spread(metrics.get("spread") or {}),
        faithfulness=_deletion(metrics.get("faithfulness") or {}),
        notes=tuple(str(note) for note in metrics.get("notes") or ()),
        pictures={k: _pictures(root, v) for k, v in _json(folder.pictures).items()},
        tissue=_tissue(folder),
        times=_json(folder.times),
        recipe=folder.recipe.read_text(encoding="utf-8") if folder.recipe.is_file() else "",
    )


def _rows(path: Path) -> list[dict[str, str]]:
    return read_rows(path) if path.is_file() else []


def _json(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.is_file() else {}


def _cell(row: Row, column: str, path: Path) -> str:
    if (value := row.get(column)) is None:
        raise RunError(f"{path} has no column {column!r}; it was not written by this version")
    return value


def _number(text: object) -> float | None:
    """The finite number that a cell or a JSON value holds, if any."""
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _count(text: object) -> int:
    return int(_number(text) or 0)


def _used(row: Row, path: Path) -> UsedCase:
    return UsedCase(
        id=_cell(row, "case_id", path),
        patient=_cell(row, "patient_id", path),
        label=row.get("label") or "",
        site=row.get("site") or "",
        images=_count(row.get("images")),
        instances=_count(row.get("instances")),
    )


def _exclusion(row: Row) -> Exclusion:
    return Exclusion(
        case=row.get("case_id") or "",
        patient=row.get("patient_id") or "",
        path=row.get("path") or "",
        stage=row.get("stage") or "unknown",
        reason=row.get("reason") or "",
        costs=row.get("costs") or "image",
    )


def _prediction(row: Row, classes: tuple[str, ...], path: Path) -> Prediction:
    cells = [_number(_cell(row, f"probability_{name}", path)) for name in classes]
    return Prediction(
        case=_cell(row, "case_id", path),
        patient=_cell(row, "patient_id", path),
        fold=_count(row.get("fold")),
        label=_cell(row, "label", path),
        probabilities=tuple(math.nan if cell is None else cell for cell in cells),
        decision=_cell(row, "decision", path),
    )


def _measures(table: Mapping[str, Any]) -> dict[str, Measured]:
    return {name: _measured(value) for name, value in table.items()}


def _spread(table: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    pairs = {k: (_number(v.get("mean")), _number(v.get("deviation"))) for k, v in table.items()}
    return {k: (mean, sd) for k, (mean, sd) in pairs.items() if mean is not None and sd is not None}


def _measured(value: object) -> Measured:
    """A metric with interval, or a bare number, as folds may have it."""
    if not isinstance(value, Mapping):
        return Measured(_number(value))
    n = value.get("n")
    return Measured(
        value=_number(value.get("value")),
        low=_number(value.get("low")),
        high=_number(value.get("high")),
        n=None if n is None else _count(n),
    )


def _deletion(table: Mapping[str, Any]) -> Deletion | None:
    if not table.get("cases"):
        return None
    shares, top, random = (tuple(map(float, table[key])) for key in ("shares", "top", "random"))
    return Deletion(shares, top, random, _measured(table.get("area")), _count(table["cases"]))


def _folds(folder: RunFolder, metrics: Mapping[str, Any]) -> tuple[FoldRecord, ...]:
    rows = _rows(folder.splits)
    measured = {_count(f["fold"]): f.get("metrics") or {} for f in metrics.get("folds") or ()}
    numbers = sorted({_count(row["fold"]) for row in rows} | set(measured))
    return tuple(
        _fold(folder, number, [r for r in rows if _count(r["fold"]) == number], measured)
        for number in numbers
    )


def _fold(
    folder: RunFolder, number: int, rows: list[dict[str, str]], measured: Mapping[int, Any]
) -> FoldRecord:
    files = folder.fold(number)
    sides = {side: [row for row in rows if row["side"] == side] for side in SIDES}
    return FoldRecord(
        number=number,
        patients={side: len({r["patient_id"] for r in members}) for side, members in sides.items()},
        cases={side: len(members) for side, members in sides.items()},
        epochs=tuple(_epoch(row) for row in _rows(files.history)),
        choices=_json(files.choices),
        metrics=_measures(measured.get(number, {})),
    )


def _epoch(row: Row) -> Epoch:
    return Epoch(
        number=_count(row.get("epoch")),
        train_loss=_number(row.get("train_loss")),
        valid_loss=_number(row.get("valid_loss")),
        is_best=_count(row.get("best")) == 1,
    )


def _pictures(root: Path, entry: Mapping[str, Any]) -> CasePictures:
    tiles = (_inside(root, tile) for tile in entry.get("tiles") or ())
    return CasePictures(
        thumbnail=_inside(root, entry.get("thumbnail")),
        heatmap=_inside(root, entry.get("heatmap")),
        tiles=tuple(tile for tile in tiles if tile is not None),
        localisation_auc=_number(entry.get("localisation_auc")),
    )


def _tissue(folder: RunFolder) -> tuple[TissueRecord, ...]:
    if not folder.tissue.is_file():
        return ()
    return tuple(
        TissueRecord(
            case=str(entry.get("case", "")),
            image=str(entry.get("image", "")),
            picture=_inside(folder.root, entry.get("picture")),
            instances=_count(entry.get("instances")),
        )
        for entry in read_json(folder.tissue)
    )


def _inside(root: Path, path: object) -> Path | None:
    """The file, if it is there and within the run: a page must not take in foreign files."""
    if not path:
        return None
    file = (root / str(path)).resolve()
    return file if file.is_file() and file.is_relative_to(root.resolve()) else None
