"""A run folder on disk -> a `Run`. Only `run.json` must be there; the rest may be missing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from wholecase.core.files import read_json
from wholecase.report.heat_key import heat_key
from wholecase.report.read_folds import folds_of
from wholecase.report.records import (
    Baseline,
    CasePictures,
    CheckRecord,
    Deletion,
    EmbeddingMap,
    Exclusion,
    ImageCounts,
    ImagesAlone,
    MarkedSlices,
    Measured,
    NearCase,
    Novelty,
    Opinion,
    PlacedCase,
    Prediction,
    Repeated,
    Scale,
    SliceRecord,
    Subgroup,
    TissueRecord,
    UsedCase,
)
from wholecase.report.run_record import Run
from wholecase.report.table_cells import (
    Row,
    cell,
    finite,
    inside,
    measured,
    probabilities,
    read_object,
    rows_of,
    whole,
)
from wholecase.report.voting import read_vote
from wholecase.runs import RunFolder


def read_run(root: Path, facts: Mapping[str, Any] | None = None) -> Run:
    """Everything that the report says about a run; `facts` are those of one that is not finished.

    Raises:
        RunError: the folder is no finished run, or one of its tables lacks a column.
    """
    folder = RunFolder(root)
    facts = folder.read_facts() if facts is None else dict(facts)
    classes = tuple(str(name) for name in facts.get("classes") or ())
    metrics = read_object(folder.metrics)
    return Run(
        root=root,
        facts=facts,
        classes=classes,
        cases=tuple(_used(row, folder.cases) for row in rows_of(folder.cases)),
        exclusions=tuple(_exclusion(row) for row in rows_of(folder.exclusions)),
        predictions=tuple(
            _prediction(row, classes, folder.predictions) for row in rows_of(folder.predictions)
        ),
        folds=folds_of(folder, metrics, classes),
        pooled={k: measured(v) for k, v in (metrics.get("pooled") or {}).items()},
        spread=_spread(metrics.get("spread") or {}),
        repeats=_repeats((metrics.get("repeats") or {}).get("spread") or {}),
        faithfulness=_deletion(metrics.get("faithfulness") or {}),
        notes=tuple(str(note) for note in metrics.get("notes") or ()),
        pictures={k: _pictures(root, v) for k, v in read_object(folder.pictures).items()},
        tissue=_tissue(folder),
        times=read_object(folder.times),
        embedding=_embedding(read_object(folder.embedding)),
        additions=_additions(folder),
        recipe=folder.recipe.read_text(encoding="utf-8") if folder.recipe.is_file() else "",
        opinions=_opinions(folder.stability, classes),
        stability=_stability(metrics.get("stability")),
        lesion_slices={
            k: measured(v)
            for k, v in (metrics.get("lesion_slices") or {}).items()
            if isinstance(v, Mapping)
        },
        marked=_marked(folder.localisation),
        novelty={
            cell(row, "case_id", folder.novelty): _novelty(row) for row in rows_of(folder.novelty)
        },
        neighbours=_neighbours(folder.neighbours),
        baselines={k: _baseline(v) for k, v in (metrics.get("baselines") or {}).items()},
        images={k: _images(v) for k, v in _rising(metrics.get("images") or {})},
        magnifications=tuple(_counted(folder.magnifications)),
        scales={k: _scale(v) for k, v in _rising(metrics.get("importance") or {})},
        calibration={
            k: measured(v if isinstance(v, Mapping) else {"value": v})
            for k, v in (metrics.get("calibration") or {}).items()
        },
        refer=_refer(metrics.get("refer") or {}),
        sets=_sets(metrics.get("sets") or {}),
        checks=tuple(_check(one) for one in metrics.get("checks") or ()),
        subgroups={k: _subgroups(v) for k, v in (metrics.get("subgroups") or {}).items()},
        vote=read_vote(facts, metrics),
    )


def _check(entry: Mapping[str, Any]) -> CheckRecord:
    names = ("code", "title", "severity", "state", "sentence", "reason")
    return CheckRecord(*(str(entry.get(name) or "") for name in names))


def _refer(table: Mapping[str, Any]) -> dict[str, Measured]:
    words = {
        "decided": "Decided at once, share of cases",
        "accuracy": "Of these decided rightly",
        "accuracy_referred": "Of those referred, would have been decided rightly",
    }
    return {told: measured(table[name]) for name, told in words.items() if name in table}


def _sets(table: Mapping[str, Any]) -> dict[str, Measured]:
    holds: Mapping[str, Any] = table.get("holds") or {}
    told = {f"Sets that hold the truth, of {name}": measured(v) for name, v in holds.items()}
    if "single" in table:
        told["Sets of one class"] = measured(table["single"])
    return told


def _subgroups(table: Mapping[str, Any]) -> tuple[Subgroup, ...]:
    return tuple(
        Subgroup(
            value=value,
            patients=whole(entry.get("patients")),
            cases=whole(entry.get("cases")),
            metrics={k: measured(v) for k, v in (entry.get("metrics") or {}).items()},
        )
        for value, entry in table.items()
    )


def _marked(path: Path) -> dict[str, MarkedSlices]:
    return {
        cell(row, "case_id", path): MarkedSlices(
            *(whole(row.get(name)) for name in ("lesions", "slices", "first_rank"))
        )
        for row in rows_of(path)
        if whole(row.get("first_rank"))
    }


def _neighbours(path: Path) -> dict[str, tuple[NearCase, ...]]:
    found = defaultdict(list)
    for row in rows_of(path):
        name, label = (cell(row, column, path) for column in ("neighbour", "label"))
        near = NearCase(name, label, finite(row.get("distance")) or 0.0)
        found[cell(row, "case_id", path)].append(near)
    return {case: tuple(near) for case, near in found.items()}


def _novelty(row: Row) -> Novelty:
    return Novelty(finite(row.get("distance_percentile")), whole(row.get("unlike")) == 1)


def _baseline(table: Mapping[str, Any]) -> Baseline:
    parts = (table.get(key) or {} for key in ("metrics", "difference"))
    metrics, difference = ({k: measured(v) for k, v in part.items()} for part in parts)
    chance = {k: finite(v.get("p")) for k, v in (table.get("tests") or {}).items()}
    return Baseline(metrics, difference, chance)


def _rising(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """By magnification, what is of all of them first."""
    return sorted(table.items(), key=lambda entry: finite(entry[0]) or 0.0)


def _images(table: Mapping[str, Any]) -> ImagesAlone:
    rate, accuracy = (measured(table.get(key)) for key in ("recognition_rate", "image_accuracy"))
    metrics = {name: measured(one) for name, one in (table.get("metrics") or {}).items()}
    return ImagesAlone(rate, accuracy, whole(table.get("images")), metrics)


def _scale(table: Mapping[str, Any]) -> Scale:
    folds, repeats = (tuple(map(float, table.get(key) or ())) for key in ("folds", "repeats"))
    return Scale(folds, measured(table.get("lost")), repeats)


def _counted(path: Path) -> Iterator[ImageCounts]:
    for counted, group in groupby(rows_of(path), key=lambda row: cell(row, "counted", path)):
        rows = [list(row.items())[1:] for row in group]
        powers = tuple(name for name, _ in rows[0][3:])
        yield ImageCounts(counted, powers, tuple(tuple(v for _, v in row) for row in rows))


def _used(row: Row, path: Path) -> UsedCase:
    return UsedCase(
        id=cell(row, "case_id", path),
        patient=cell(row, "patient_id", path),
        label=row.get("label") or "",
        site=row.get("site") or "",
        images=whole(row.get("images")),
        instances=whole(row.get("instances")),
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
    shares = probabilities(row, classes, path)
    return Prediction(
        case=cell(row, "case_id", path),
        patient=cell(row, "patient_id", path),
        fold=whole(row.get("fold")),
        label=cell(row, "label", path),
        probabilities=shares,
        decision=cell(row, "decision", path),
    )


def _spread(table: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    pairs = {k: (finite(v.get("mean")), finite(v.get("deviation"))) for k, v in table.items()}
    return {k: (mean, sd) for k, (mean, sd) in pairs.items() if mean is not None and sd is not None}


def _embedding(table: Mapping[str, Any]) -> EmbeddingMap | None:
    if not table:
        return None
    return EmbeddingMap(
        fold=whole(table.get("fold")),
        explained=tuple(float(share) for share in table["explained"]),
        cases=tuple(
            PlacedCase(
                case=str(one["case_id"]),
                is_test=one["side"] == "test",
                label=str(one["label"]),
                x=float(one["x"]),
                y=float(one["y"]),
            )
            for one in table["cases"]
        ),
    )


def _additions(folder: RunFolder) -> tuple[str, ...]:
    """Of each the number of cases, and name and digest of their manifest."""
    return tuple(
        f"{len(one['cases'])} cases of {one['cohort']}, digest {one['cohort_digest']}"
        for one in read_object(folder.gallery).get("additions", ())
    )


def _repeats(table: Mapping[str, Any]) -> dict[str, Repeated]:
    keys = ("mean", "deviation", "min", "max")
    return {k: Repeated(*(float(v[key]) for key in keys)) for k, v in table.items()}


def _deletion(table: Mapping[str, Any]) -> Deletion | None:
    if not table.get("cases"):
        return None
    shares, top, random = (tuple(map(float, table[key])) for key in ("shares", "top", "random"))
    return Deletion(shares, top, random, measured(table.get("area")), whole(table["cases"]))


def _pictures(root: Path, entry: Mapping[str, Any]) -> CasePictures:
    tiles, least = (
        [file for path in entry.get(name) or () if (file := inside(root, path)) is not None]
        for name in ("tiles", "least")
    )
    series: Mapping[str, Any] = entry.get("series") or {}
    maps = ((str(name), inside(root, path)) for name, path in (entry.get("maps") or {}).items())
    return CasePictures(
        thumbnail=inside(root, entry.get("thumbnail")),
        heatmap=inside(root, entry.get("heatmap")),
        tiles=tuple(tiles),
        localisation_auc=finite(entry.get("localisation_auc")),
        least=tuple(least),
        maps=tuple((name, file) for name, file in maps if file is not None),
        slices=tuple(_slice(root, one) for one in entry.get("slices") or ()),
        series=tuple(_slice(root, one) for one in series.get("slices") or ()),
        sheet=inside(root, series.get("sheet")),
        columns=max(whole(series.get("columns")), 1),
        scales=inside(root, entry.get("scales")),
        heat=heat_key(entry.get("heat")),
    )


def _slice(root: Path, entry: Mapping[str, Any]) -> SliceRecord:
    return SliceRecord(
        number=whole(entry.get("slice")),
        of=whole(entry.get("of")),
        series=whole(entry.get("series")) or None,
        position_mm=finite(entry.get("position_mm")),
        probability=finite(entry.get("probability")),
        weight=finite(entry.get("weight")) or 0.0,
        rank=whole(entry.get("rank")),
        picture=inside(root, entry.get("picture")),
        marked=entry.get("marked") is True,
    )


def _tissue(folder: RunFolder) -> tuple[TissueRecord, ...]:
    if not folder.tissue.is_file():
        return ()
    return tuple(
        TissueRecord(
            case=str(entry.get("case", "")),
            image=str(entry.get("image", "")),
            picture=inside(folder.root, entry.get("picture")),
            instances=whole(entry.get("instances")),
            squares=whole(entry.get("squares")),
        )
        for entry in read_json(folder.tissue)
    )


def _opinions(path: Path, classes: tuple[str, ...]) -> dict[str, tuple[Opinion, ...]]:
    opinions: dict[str, list[Opinion]] = defaultdict(list)
    for row in rows_of(path):
        opinion = Opinion(
            fold=whole(row.get("fold")),
            has_seen=whole(row.get("seen")) == 1,
            probabilities=probabilities(row, classes, path),
            agreement=finite(row.get("rank_correlation")),
        )
        opinions[cell(row, "case_id", path)].append(opinion)
    return {case: tuple(rows) for case, rows in opinions.items()}


def _stability(value: object) -> Measured | None:
    found = measured(value)
    return None if found.value is None else found
