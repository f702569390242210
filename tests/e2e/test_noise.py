"""Labels that tell nothing: no recipe finds something in them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.phantoms import draw_ct
from wholecase.recipes import read_recipe

PATIENTS = 60
DEVIATION = 0.12
"""Of the AUROC from draw to draw, as 18 draws had it: wider than a run's own interval, which takes
its models as they are. Noise that happens to go with labels does so on both sides."""
ALIKE = ("evaluate={bootstrap: 200, pictures: 0}", "train.threads=1")
STILL = ("cohort={positive: [b], negative: [a]}", "cut.side_px=32")
RECIPES = {
    "egfr-clam": (
        *STILL,
        "cut={name: whole, side_px: 32}",
        "encoder=colour",
        "train.epochs=4",
        "train.optimizer.rate=1e-3",
    ),
    "pcam-attention": (
        *STILL,
        "protocol={kind: nested, folds: 5}",
        "model.backbone.channels=[4,8]",
        "model.aggregator={name: self_attention, inner: 8}",
        "model.head={name: binary, hidden: [], dropout: 0.0}",
        "batches.cases=12",
        "train.epochs=3",
        "train.augment={}",
    ),
    "breakhis-mmnet": (
        *STILL,
        "encoder=colour",
        "model.backbone=null",
        "model.input=null",
        "model.aggregator.inner=8",
        "model.aggregator.scales=[40,100]",
        "batches.cases=12",
        "train.augment={}",
        "train.epochs=3",
        "views.sets=2",
    ),
    "metric-ensemble": (*STILL, "encoder=colour", "train.epochs=3"),
    "brain-mets-ct": (
        "cohort={positive: [b], negative: [a]}",
        "cut.side_px=24",
        "model.backbone={name: small_cnn, channels: [4, 8]}",
        "model.head.hidden=[]",
        "train.stages=[]",
        "train.reuse=null",
        "train.augment={}",
        "train.epochs=2",
    ),
}


def pictures(folder: Path, rng: np.random.Generator) -> Path:
    """Two pictures of noise a patient, at two magnifications, with labels drawn at random."""
    labels = rng.permutation(np.arange(PATIENTS) % 2)
    rows = ["case_id,patient_id,path,kind,label,magnification"]
    for i in range(PATIENTS):
        for power in (40, 100):
            coarse = rng.integers(0, 255, (8, 8, 3)).astype(np.uint8)
            picture = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
            picture.save(folder / f"{i}-{power}.png")
            label = "ab"[labels[i]]
            rows.append(f"c{i},p{i},{i}-{power}.png,tile,{label},{power}")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder / "cohort.csv"


def series(folder: Path, rng: np.random.Generator) -> Path:
    """Drawn heads whose labels are dealt anew."""
    draw_ct(folder, patients=30, seed=3, workers=0)
    path = folder / "cohort.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = rng.permutation(np.arange(len(rows)) % 2)
    for row, label in zip(rows, labels, strict=True):
        row["label"] = "ab"[label]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_noise_is_no_better_than_a_coin_toss(name: str, tmp_path: Path) -> None:
    draw, times = (series, 2) if name == "brain-mets-ct" else (pictures, 4)
    areas = []
    for seed in range(times):
        folder = tmp_path / str(seed)
        folder.mkdir()
        manifest = draw(folder, np.random.default_rng(100 + seed))
        recipe = read_recipe(name, [*RECIPES[name], *ALIKE])
        done = run(recipe, manifest, Settings(folder / "run", place=Place(workers=0)))
        areas.append(done.metrics["pooled"]["auroc"]["value"])
    assert abs(np.mean(areas) - 0.5) < 3 * DEVIATION / np.sqrt(times), areas
