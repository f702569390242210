"""Plain models on the run's own folds: told beside it, paired, and equal to scikit-learn's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholecase.answer import read_case
from wholecase.assemble import labels_of, plan_of, split_of
from wholecase.cohort import read_cohort
from wholecase.evaluation.baselines import STRENGTHS
from wholecase.execution import Place
from wholecase.experiment import Summary
from wholecase.extract import extract
from wholecase.recipes import read_recipe


def test_a_run_is_held_against_plain_models(
    finished: Summary, rerun: Callable[..., Summary], cohort_file: Path
) -> None:
    store = finished.run.root.parent / "features"
    summary = rerun("train.epochs=1", "evaluate.pictures=0", store=store, baselines=True)
    told = summary.metrics["baselines"]
    assert set(told) == {"logistic", "logistic_max", "neighbours", "centroid"}
    own = summary.metrics["pooled"]
    for one in told.values():
        assert set(one["metrics"]) == set(one["difference"]) == set(own) - {"localisation_auc"}
        gap = own["auroc"]["value"] - one["metrics"]["auroc"]["value"]
        assert one["difference"]["auroc"]["value"] == pytest.approx(gap)
        assert one["metrics"]["auroc"]["n"] == 23
        assert 0 <= one["tests"]["accuracy"]["p"] <= 1
        assert one["tests"]["accuracy"]["how"].startswith("McNemar's test")
        assert one["tests"]["auroc"]["how"].startswith("DeLong's test, pairs within folds")
    # a network of one epoch is no better, and the first lines after the warnings say so
    notes = [note for note in summary.metrics["notes"] if "What may help" not in note]
    assert "does not beat logistic regression" in notes[0]
    assert "does not beat logistic regression" in summary.run.report.read_text()
    page = summary.run.report.read_text()
    table = page[page.index('<section id="baselines"') : page.index('<section id="evidence"')]
    gap = told["neighbours"]["difference"]["brier"]
    for name in ("Logistic regression", "Nearest neighbours", "Nearest centroid"):
        assert f"<td>{name}</td>" in table
    assert "p, decisions" in table
    assert f"{gap['low']:.2f}–{gap['high']:.2f}".replace("-", "−") in table.replace(" to ", "–")
    assert '<section id="baselines"' not in finished.run.report.read_text()
    expected = scikit_learns_own(finished, cohort_file)
    assert told["logistic"]["metrics"]["auroc"]["value"] == pytest.approx(expected, abs=1e-3)


def scikit_learns_own(finished: Summary, cohort_file: Path) -> float:
    """The same folds, strength chosen on inner patients, written with scikit-learn alone."""
    recipe = read_recipe(str(finished.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    plan = plan_of(recipe, finished.run.root.parent / "features")
    extraction = extract(cohort, plan, Place(workers=0))

    def side(cases):
        rows = [read_case(case, extraction).bag.values.mean(0, dtype=np.float64) for case in cases]
        return np.stack(rows), np.array([case.target for case in cases])

    truth, shares = [], []
    for fold in split_of(recipe, cohort, None).folds:
        (x, y), (inner, inner_y), (test, test_y) = map(side, (fold.train, fold.valid, fold.test))
        best = None
        for strength in STRENGTHS:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))
            model.fit(x, y)
            sure = model.predict_proba(inner)[np.arange(len(inner_y)), inner_y]
            loss = -np.log(np.clip(sure, 1e-12, 1)).mean()
            if best is None or loss < best[0]:
                best = loss, model
        truth += test_y.tolist()
        shares += best[1].predict_proba(test)[:, 1].tolist()
    return float(roc_auc_score(truth, shares))
