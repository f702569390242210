"""A plausible run folder, made from nothing but a seed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from wholecase.core.files import safe_name, write_json
from wholecase.evaluation import METRICS, auroc
from wholecase.runs import RunFolder, write_rows


@dataclass(frozen=True)
class Wish:
    """What the run shall look like."""

    classes: tuple[str, ...] = ("wild-type", "mutated")
    cases: int = 40
    folds: int = 5
    seed: int = 3
    pictures: bool = True
    opinions: bool = True
    """Whether the run kept its inner predictions, and asked all fold models."""
    ids: str = "case-{:03d}"


@pytest.fixture(scope="session")
def make_run() -> Callable[[Path, Wish], RunFolder]:
    return _make_run


@pytest.fixture(scope="session")
def wish() -> type[Wish]:
    return Wish


@pytest.fixture(scope="session")
def binary(tmp_path_factory) -> RunFolder:
    return _make_run(tmp_path_factory.mktemp("runs") / "night-3", Wish())


@pytest.fixture(scope="session")
def three(tmp_path_factory) -> RunFolder:
    classes = ("adenocarcinoma", "squamous", "normal")
    return _make_run(
        tmp_path_factory.mktemp("runs") / "subtypes",
        Wish(classes=classes, cases=60, pictures=False),
    )


def _make_run(root: Path, wish: Wish) -> RunFolder:
    folder = RunFolder(root)
    rng = np.random.default_rng(wish.seed)
    n, c = wish.cases, len(wish.classes)
    truth = np.sort(rng.permutation(n) % c)
    logits = rng.normal(size=(n, c))
    logits[np.arange(n), truth] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    fold = rng.permutation(n) % wish.folds
    fold[7::8] = fold[6 : n - 1 : 8]  # a patient is judged in one fold
    thresholds = 0.5 + 0.06 * rng.normal(size=wish.folds)
    decision = probabilities.argmax(axis=1)
    if c == 2:
        decision = (probabilities[:, 1] >= thresholds[fold]).astype(int)
    ids = [wish.ids.format(i) for i in range(n)]
    patients = [f"P{i - (i % 8 == 7):03d}" for i in range(n)]  # some have two cases
    _tables(folder, wish, (ids, patients, truth, fold), rng)
    _predictions(folder, wish, (ids, patients, truth, fold), (probabilities, decision))
    _metrics(folder, (truth, probabilities, fold), c)
    for number in range(wish.folds):
        _history(folder.fold(number), rng, float(thresholds[number]) if c == 2 else None)
    if wish.opinions:
        _inner(folder, wish, (ids, patients, truth, fold), probabilities)
        _stability(folder, wish, (ids, patients, truth, fold), probabilities)
    if wish.pictures:
        _pictures(folder, ids, truth, rng)
    _facts(folder, wish, len(set(patients)))
    return folder


def _tables(folder, wish, who, rng):
    ids, patients, truth, fold = who
    sites = ["Nordstadt", "Seeklinik", ""]
    used = [
        {
            "case_id": case,
            "patient_id": patient,
            "label": wish.classes[label],
            "site": sites[i % 3],
            "images": 1 + i % 3,
            "instances": int(rng.integers(200, 4000)),
        }
        for i, (case, patient, label) in enumerate(zip(ids, patients, truth, strict=True))
    ]
    write_rows(folder.cases, list(used[0]), used)
    out = [
        ("x1", "open", "'{path}' is no image file; give it another kind", "case"),
        ("x2", "tissue", "{path} holds no tissue", "case"),
        ("x3", "tissue", "{path} holds no tissue", "case"),
        (ids[0], "spacing", "{path} has no spacing; add the column mpp", "image"),
    ]
    columns = ["case_id", "patient_id", "path", "stage", "reason", "costs"]
    lines = [("x0", "P-x0", "", "label", "the recipe ignores the label 'unclear'", "case")]
    for case, stage, reason, costs in out:
        path = f"/home/somebody/study/slides/{case}.svs"
        lines.append((case, f"P-{case}", path, stage, reason.format(path=path), costs))
    write_rows(folder.exclusions, columns, [dict(zip(columns, x, strict=True)) for x in lines])
    sides = [
        {
            "case_id": case,
            "patient_id": patient,
            "fold": number,
            "side": "test" if own == number else "valid" if own == (number + 1) % 5 else "train",
        }
        for number in range(wish.folds)
        for case, patient, own in zip(ids, patients, fold, strict=True)
    ]
    write_rows(folder.splits, list(sides[0]), sides)


def _predictions(folder, wish, who, outcome):
    ids, patients, truth, fold = who
    probabilities, decision = outcome
    rows = [
        {
            "case_id": ids[i],
            "patient_id": patients[i],
            "fold": int(fold[i]),
            "label": wish.classes[truth[i]],
            **{
                f"probability_{name}": float(probabilities[i, k])
                for k, name in enumerate(wish.classes)
            },
            "decision": wish.classes[decision[i]],
        }
        for i in range(len(ids))
    ]
    write_rows(folder.predictions, list(rows[0]), rows)


def _metrics(folder, outcome, classes):
    truth, probabilities, fold = outcome
    score = probabilities[:, -1]
    value = auroc(truth == classes - 1, score)
    pooled = {name: _interval(0.81 - 0.03 * i, len(truth)) for i, name in enumerate(METRICS)}
    pooled["auroc"] = _interval(value, len(truth))
    pooled["brier"] = _interval(0.143, len(truth))
    pooled["localisation_auc"] = _interval(0.774, len(truth))
    folds = []
    for number in np.unique(fold):
        own = fold == number
        of_fold = auroc(truth[own] == classes - 1, score[own])
        measured = {"auroc": _interval(of_fold, int(own.sum()))}
        folds.append({"fold": int(number), "metrics": measured})
    notes = ["Fewer than 50 patients were judged: the intervals are wide; do not compare on them."]
    spread = {"auroc": {"mean": 0.871, "deviation": 0.064, "folds": len(folds)}}
    told = {"pooled": pooled, "folds": folds, "spread": spread, "notes": notes}
    write_json(folder.metrics, told)


def _interval(value, n):
    if value is None or not np.isfinite(value):
        return {"value": None, "low": None, "high": None, "n": n}
    low, high = max(value - 0.093, 0.0), min(value + 0.071, 1.0)
    return {"value": float(value), "low": float(low), "high": float(high), "n": n}


def _history(files, rng, threshold):
    epochs = int(rng.integers(14, 30))
    steps = np.arange(epochs)
    train = 0.68 * np.exp(-steps / 9) + 0.05 + 0.02 * rng.random(epochs)
    valid = 0.34 * np.exp(-steps / 5) + 0.34 + 0.012 * np.maximum(steps - 9, 0)
    valid = valid + 0.03 * rng.random(epochs)
    best = int(valid.argmin())
    rows = [
        {
            "epoch": int(i) + 1,
            "train_loss": float(train[i]),
            "valid_loss": float(valid[i]),
            **(
                {"valid_p_positive": 0.5 + i / 100, "valid_p_negative": 0.5 - i / 100}
                if threshold
                else {}
            ),
            "best": int(i == best),
        }
        for i in steps
    ]
    write_rows(files.history, list(rows[0]), rows)
    choices = {"epoch": best + 1, "temperature": 1.0 + float(rng.random()) / 2, "inner_cases": 8}
    choices |= {"threshold": threshold, "threshold_rule": "f1" if threshold else None}
    write_json(files.choices, choices | {"inner_patients": 8})


def _means(epoch):
    return {"valid_p_positive": 0.5 + epoch / 100, "valid_p_negative": 0.5 - epoch / 100}


def _inner(folder, wish, who, probabilities):
    ids, patients, truth, fold = who
    for number in range(wish.folds):
        inner = np.flatnonzero(fold == (number + 1) % wish.folds)
        rows = [
            {
                "case_id": ids[i],
                "patient_id": patients[i],
                "label": wish.classes[truth[i]],
                **_shares(wish, probabilities[i]),
            }
            for i in inner
        ]
        write_rows(folder.fold(number).inner, list(rows[0]), rows)


def _stability(folder, wish, who, probabilities):
    ids, patients, _, fold = who
    rng = np.random.default_rng(wish.seed)
    rows = []
    for i, number in ((i, n) for i in range(len(ids)) for n in range(wish.folds)):
        own = number == fold[i]
        said = probabilities[i] if own else 0.6 * probabilities[i] + 0.4 / len(wish.classes)
        row = {"case_id": ids[i], "patient_id": patients[i], "fold": number, "seen": int(not own)}
        row |= _shares(wish, said)
        row["rank_correlation"] = None if own else float(rng.uniform(0.4, 0.9))
        rows.append(row)
    write_rows(folder.stability, list(rows[0]), rows)
    metrics = json.loads(folder.metrics.read_text())
    metrics["stability"] = {"value": 0.66, "low": 0.612, "high": 0.707, "n": 35}
    write_json(folder.metrics, metrics)


def _shares(wish, row):
    return {f"probability_{name}": repr(float(row[k])) for k, name in enumerate(wish.classes)}


def _pictures(folder, ids, truth, rng):
    entries = {}
    for case, label in zip(ids, truth, strict=True):
        tissue = _tissue(rng, int(label))
        paths = {"thumbnail": f"{safe_name(case)}-thumbnail.jpg"}
        paths["heatmap"] = f"{safe_name(case)}-heatmap.png"
        (folder.root / "pictures").mkdir(parents=True, exist_ok=True)
        tissue.save(folder.root / "pictures" / paths["thumbnail"])
        _heat(tissue, rng).save(folder.root / "pictures" / paths["heatmap"])
        entry = {k: f"pictures/{v}" for k, v in paths.items()}
        entry["tiles"] = []
        for i in range(4):
            x, y = rng.integers(100, 250, 2)
            tile = f"pictures/{safe_name(case)}-tile{i}.jpg"
            tissue.crop((x, y, x + 64, y + 64)).resize((224, 224)).save(folder.root / tile)
            entry["tiles"].append(tile)
        entry["least"] = entry["tiles"][::-1][:2]
        entry["localisation_auc"] = float(rng.uniform(0.55, 0.98)) if label else None
        entries[case] = entry
    write_json(folder.pictures, entries)


def _tissue(rng, label):
    picture = Image.new("RGB", (440, 340), (246, 243, 247))
    draw = ImageDraw.Draw(picture)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 118 + 22 * np.sin(3 * angle + rng.uniform(0, 6)) + rng.normal(0, 4, 40)
    outline = [
        (220 + 1.45 * r * np.cos(a), 170 + r * np.sin(a))
        for a, r in zip(angle, radius, strict=True)
    ]
    draw.polygon(outline, fill=(226, 168, 196) if label else (232, 186, 206))
    for _ in range(900):
        a, r = rng.uniform(0, 2 * np.pi), 110 * rng.random() ** 0.5
        x, y = 220 + 1.4 * r * np.cos(a), 170 + r * np.sin(a)
        size = rng.uniform(1, 3.4)
        colour = (96, 58, 128) if rng.random() < 0.7 else (170, 90, 140)
        draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    return picture.filter(ImageFilter.GaussianBlur(0.7))


def _heat(tissue, rng):
    pixels = np.asarray(tissue).astype(float)
    height, width = pixels.shape[:2]
    yy, xx = np.mgrid[:height, :width]
    x, y = rng.uniform(140, 300), rng.uniform(110, 230)
    weight = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 55**2))[::16, ::16]
    weight = np.kron(weight, np.ones((16, 16)))[:height, :width, None]
    colours = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]])
    level = np.clip(weight[..., 0] * 4, 0, 3.999)
    below = level.astype(int)
    shade = colours[below] + (level - below)[..., None] * (colours[below + 1] - colours[below])
    inside = (pixels.sum(axis=2) < 700)[..., None]
    mixed = np.where(inside, 0.45 * pixels + 0.55 * shade, pixels)
    return Image.fromarray(mixed.astype(np.uint8))


def _facts(folder, wish, patients):
    recipe = "recipe: egfr-clam\ncohort: {label: egfr, positive: [mutated]}\ntrain: {epochs: 50}\n"
    folder.recipe.write_text(recipe, encoding="utf-8")
    times = {"extract": 1834.2, "train": 412.7, "explain": 38.1}
    started, finished = "2025-03-04T21:10:03+00:00", "2025-03-04T21:48:11+00:00"
    write_json(folder.times, {"started": started, "finished": finished, "seconds": times})
    facts = {
        "schema": 1,
        "wholecase": "0.1.0",
        "recipe": "egfr-clam",
        "title": "EGFR mutation from H&E slides",
        "classes": list(wish.classes),
        "positive": wish.classes[-1],
        "cohort": {
            "path": "/home/somebody/study/cohort.csv",
            "cases": wish.cases + 3,
            "patients": patients + 3,
            "images": 2 * wish.cases + 4,
            "by_label": dict.fromkeys(wish.classes, 1),
            "sites": ["Nordstadt", "Seeklinik"],
        },
        "splits": {"digest": "5f0c2a9d1b7e4c3a8d21", "protocol": "nested", "folds": wish.folds},
        "encoder": {"identity": "resnet50-stage3@2b51", "width": 1024},
        "cut": {"name": "grid", "side_px": 224, "spacing_um": 0.5},
        "device": "cpu",
        "seed": 1,
        "versions": {"python": "3.11.9", "torch": "2.14.1", "numpy": "2.4.0"},
    }
    folder.facts.write_text(json.dumps(facts), encoding="utf-8")
