"""What a run is held against on its own folds: plain models on frozen features, or networks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from wholecase.answer import Judgement, read_case, scores_of
from wholecase.cohort import Case, Cohort, Fold
from wholecase.core.progress import progress
from wholecase.core.seeds import seed_of
from wholecase.evaluation import (
    METRICS,
    Sides,
    Vectors,
    baseline,
    mean_features,
    paired_difference,
    paired_tests,
)
from wholecase.experiment.direct import DIRECT, judged_directly
from wholecase.experiment.outer import Bench
from wholecase.experiment.results import measured
from wholecase.experiment.scale_features import (
    SIDE_BY_SIDE,
    Means,
    filled,
    means_of,
    of_each_scale,
)
from wholecase.experiment.trained_baselines import TRAINED, trained_baselines

MEAN, MAX = "mean", "maximum"
PLAIN = {
    "logistic": ("logistic", MEAN),
    "logistic_max": ("logistic", MAX),
    "neighbours": ("neighbours", MEAN),
    "centroid": ("centroid", MEAN),
}
"""Name in `metrics.json` -> which plain model, and what of a case's instances it is given."""
NAMES = {
    "logistic": "logistic regression",
    "neighbours": "nearest neighbours",
    "centroid": "the nearest centroid",
}
UNTRAINED = (
    "Plain baselines need frozen features, and this run learns from pixels; name networks that "
    "learn as well under evaluate.baselines."
)
Pooled = Mapping[str, Mapping[str, Float[np.ndarray, " D"]]]
"""By pooling and case."""
Said = dict[tuple[str, str], Sequence[Judgement]]
"""By name in `metrics.json` and words for it, what a baseline says of the test cases."""


def against_baselines(
    bench: Bench, judged: Sequence[Judgement], cohort: Cohort
) -> tuple[dict[str, Any], list[str]]:
    """Metrics of each baseline, the run's minus the baseline's paired by patient, and notes.

    Beside the intervals stand tests of decisions and ranks (`paired_tests`).

    Both figures that papers give are told: pooled, and the mean over folds. The maximum of each
    feature is tried where cases have several instances; where these have several magnifications,
    logistic regression on each alone, and on all side by side, too. A run that learns from pixels
    has no frozen features: the networks of `evaluate.baselines` learn from the pixels as well.
    Where cases are compared, the same model taught to classify directly is held against the run.
    Without any of them there is a note instead.
    """
    said = _said(bench, cohort)
    entries: dict[str, Any] = {}
    notes = []
    for (name, words), plain in said.items():
        order = {one.case.id: one for one in plain}
        same = [order[one.case.id] for one in judged]
        entries[name] = {
            "metrics": measured(same, bench.recipe, f"baseline {name}"),
            "mean_over_folds": _over_folds(same),
            "difference": _differences(bench, judged, same, name),
            "tests": {
                metric: {"p": gap.p, "how": gap.how}
                for metric, gap in paired_tests(scores_of(judged), scores_of(same)).items()
            },
        }
        if note := _unbeaten(words, entries[name]):
            notes.append(note)
    return entries, notes if entries else [UNTRAINED]


def _said(bench: Bench, cohort: Cohort) -> Said:
    """What each baseline that this run can have says of the test cases."""
    said: Said = {}
    if direct := judged_directly(bench, cohort):
        said[DIRECT, "direct classification"] = direct
    if bench.extraction.kind is None:
        said |= _plain(bench)
    elif bench.recipe.evaluate.baselines:
        for name, own in trained_baselines(bench, cohort).items():
            said[name, f"the network of evaluate.baselines.{name.removeprefix(TRAINED)}"] = own
    return said


def _plain(bench: Bench) -> Said:
    """What each plain model says of the test cases."""
    pooled = _pooled(bench)
    said: Said = {}
    scales = {f"logistic_{way}": ("logistic", way) for way in pooled if way not in {MEAN, MAX}}
    for name, (model, way) in (PLAIN | scales).items():
        if way not in pooled:
            continue
        said[name, f"{NAMES[model]} on {_told(way)}"] = [
            one for fold in bench.folds for one in _judged(bench, fold, model, pooled[way])
        ]
    return said


def _pooled(bench: Bench) -> Pooled:
    """The mean of each case; the maximum where any has several instances; each magnification."""
    means, most, several = {}, {}, False
    scales: dict[str, Means] = {}
    with progress("baselines", len(bench.cases), "cases") as advance:
        for case in bench.cases:
            bag = read_case(case, bench.extraction).bag
            values = bag.values
            means[case.id] = mean_features(values, np.array([0, len(values)]))[0]
            most[case.id] = values.max(axis=0).astype(np.float64)
            scales[case.id] = means_of(values, bag.scale)
            several |= len(values) > 1
            advance()
    return {MEAN: means, **({MAX: most} if several else {}), **of_each_scale(scales)}


def _judged(
    bench: Bench, fold: Fold, model: str, of_case: Mapping[str, Float[np.ndarray, " D"]]
) -> list[Judgement]:
    train, inner, test = (_vectors(side, of_case) for side in fold.sides().values())
    taught, (chosen_on, asked) = filled(train.features, (inner.features, test.features))
    train, inner = replace(train, features=taught), replace(inner, features=chosen_on)
    # a run that learns from both sides is held against models that do
    sides = Sides(train, inner, len(bench.classes), learns_inner=bench.recipe.protocol.refit)
    rows = baseline(model, sides, asked)
    return [
        Judgement(case, bench.classes, fold.number, row, row, int(row.argmax()))
        for case, row in zip(fold.test, rows, strict=True)
    ]


def _vectors(cases: Sequence[Case], of_case: Mapping[str, Float[np.ndarray, " D"]]) -> Vectors:
    return Vectors(
        np.stack([of_case[case.id] for case in cases]),
        np.array([case.target for case in cases], dtype=np.int64),
    )


def _over_folds(plain: Sequence[Judgement]) -> dict[str, float]:
    """The mean over folds of each metric that is defined in all of them."""
    folds = {one.judge for one in plain}
    parts = [scores_of([one for one in plain if one.judge == fold]) for fold in folds]
    means = {}
    for name, metric in METRICS.items():
        if metric.suits(parts[0]):
            means[name] = float(np.mean([metric.once(part) for part in parts]))
    return {name: value for name, value in means.items() if np.isfinite(value)}


def _differences(
    bench: Bench, judged: Sequence[Judgement], plain: Sequence[Judgement], name: str
) -> dict[str, dict[str, Any]]:
    ours, theirs, recipe = scores_of(judged), scores_of(plain), bench.recipe
    seed, repeats = seed_of(recipe.protocol.seed, "baseline", name), recipe.evaluate.bootstrap
    return {
        metric: paired_difference(ours, theirs, metric, repeats=repeats, seed=seed).to_json()
        for metric in (*METRICS, *recipe.evaluate.metrics)
        if METRICS[metric].suits(ours)
    }


def _told(way: str) -> str:
    """What of the features a plain model was given.

    >>> _told("mean"), _told("at_40"), _told("side_by_side")
    ('the mean of its features', 'its features at 40 alone', 'its features of all scales together')
    """
    if way in {MEAN, MAX}:
        return f"the {way} of its features"
    alone = f"its features at {way.removeprefix('at_')} alone"
    return "its features of all scales together" if way == SIDE_BY_SIDE else alone


def _unbeaten(plain: str, entry: Mapping[str, Any]) -> str | None:
    """What a reader must know first; None where the run is better beyond chance."""
    for metric in ("auroc", "balanced_accuracy"):
        gap = entry["difference"].get(metric)
        if gap is not None and gap["value"] is not None:
            break
    else:
        return None
    if gap["low"] is not None and gap["low"] > 0:
        return None
    none = f"no interval: {gap['reason']}" if gap.get("reason") else "no interval"
    ends = none if gap["low"] is None else f"{gap['low']:.3f} to {gap['high']:.3f}"
    value = entry["metrics"][metric]["value"]
    return (
        f"The run does not beat {plain}: {metric} {value:.3f} there, the run's is "
        f"{gap['value']:+.3f} from it ({ends})."
    )
