"""Patches from the drawing to the answer: the published form, the network taught from pixels."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wholecase.cli import main
from wholecase.runs import read_rows

SMALL = (
    "model.backbone.channels=[8, 16, 32]",
    "model.aggregator.inner=16",
    "model.head.hidden=[16]",
    "model.head.dropout=0.0",
    "train.threads=1",
    "batches.cases=32",
    "train.optimizer.rate=3e-3",
)
FIGURES = ("training_curves", "confusion_matrix", "roc", "precision_recall", "reliability")


@pytest.fixture(scope="module")
def wholecase() -> Callable[..., None]:
    """The command line in this process; it must succeed."""

    def command(*words: object) -> None:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        assert not end.value.code

    return command


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, wholecase: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("patches")
    wholecase("phantom", "patches", folder, "--patches", 400, "--workers", 1)
    wholecase("cohort", "pcam", folder, "--out", folder / "cohort.csv")
    run = folder / "run"
    options = ("--workers", 1, "--out", run, "train.epochs=8", *SMALL)
    wholecase("run", "pcam-attention", "--cohort", folder / "cohort.csv", *options)
    return run


def test_it_learns_and_is_judged_on_the_published_test_side(finished: Path) -> None:
    rows = read_rows(finished / "predictions.csv")
    assert len(rows) == 40
    assert {row["case_id"].split("-")[0] for row in rows} == {"test"}
    truth = np.array([row["label"] == "tumor" for row in rows])
    told = np.array([float(row["probability_tumor"]) for row in rows])
    above = (told[truth][:, None] > told[~truth]).mean()
    assert above > 0.8  # by chance 0.5, and beyond 0.65 once in twenty


def test_every_case_shows_where_the_model_looked(finished: Path) -> None:
    shown = json.loads((finished / "pictures.json").read_text())
    assert len(shown) == 40
    for told in shown.values():
        assert set(told["maps"]) == {"grad-cam", "attention"}
        assert all((finished / path).is_file() for path in told["maps"].values())


def test_figures_lie_beside_the_report(finished: Path) -> None:
    assert (finished / "report.html").is_file()
    assert (finished / "figures" / "gradcam_examples.png").is_file()
    for name in FIGURES:
        assert (finished / "figures" / f"{name}.svg").is_file(), name


@pytest.mark.slow
def test_the_recipe_tells_drawn_tumour_from_its_likeness(
    tmp_path: Path, wholecase: Callable[..., None]
) -> None:
    wholecase("phantom", "patches", tmp_path, "--patches", 2000)
    wholecase("cohort", "pcam", tmp_path, "--out", tmp_path / "cohort.csv")
    run = tmp_path / "run"
    cohort = tmp_path / "cohort.csv"
    wholecase("run", "pcam-attention", "--cohort", cohort, "--out", run, "train.epochs=8")
    metrics = json.loads((run / "metrics.json").read_text())["pooled"]
    assert metrics["auroc"]["value"] > 0.95
