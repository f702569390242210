"""Four magnifications from the drawing to the answer: no magnification alone has what all have."""

import json
from pathlib import Path

import numpy as np
import pytest

from wholecase.cli import main
from wholecase.runs import read_rows

FROZEN = (
    *("encoder=colour", "model.backbone=null", "model.input=null", "train.augment={}"),
    *("model.aggregator.inner=64", "model.head.dropout=0.3", "views.sets=8", "batches.cases=8"),
    *("train.epochs=30", "train.optimizer.rate=1e-3", "train.early_stop.patience=20"),
    *("evaluate.pictures=0", "evaluate.bootstrap=200", "protocol.folds=3"),
)


def wholecase(*words: object) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert not end.value.code


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_beats_every_magnification_alone_and_answers_where_some_are_missing(
    tmp_path: Path,
) -> None:
    wholecase("phantom", "breakhis", tmp_path, "--images", 3, "--workers", 1)
    cohort, run = tmp_path / "cohort.csv", tmp_path / "run"
    wholecase("cohort", "breakhis", tmp_path, "--out", cohort)
    options = ("--out", run, "--workers", 1, "--baselines", *FROZEN)
    wholecase("run", "breakhis-mmnet", "--cohort", cohort, *options)
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["pooled"]["auroc"]["value"] > 0.9
    alone = {
        name: entry["difference"]["auroc"]["low"]
        for name, entry in metrics["baselines"].items()
        if name.startswith("logistic_at_")
    }
    assert set(alone) == {f"logistic_at_{power}" for power in (40, 100, 200, 400)}
    assert sum(low > 0 for low in alone.values()) >= 3
    shares = [one["mean"] for one in metrics["importance"].values()]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    lost = {scale: one["lost"]["value"] for scale, one in metrics["importance"].items()}
    assert max(lost.values()) > 0.02, "something is missed where views are another patient's"
    assert set(lost) == {"40", "100", "200", "400"}
    rows = read_rows(run / "predictions.csv")
    assert len(rows) == 48
    assert np.mean([float(row["view_spread"]) for row in rows]) > 0
    wholecase("export", run, "--onnx", tmp_path / "model.onnx")
    facts = json.loads((tmp_path / "model.json").read_text())
    assert facts["scale"]["known"] == [40, 100, 200, 400]
    assert facts["files"]["model.onnx"]["difference"] <= 1e-5
