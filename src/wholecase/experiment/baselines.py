"""Plain models on the mean or the maximum of the frozen features, on the run's own folds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from wholecase.answer import Judgement, read_case, scores_of
from wholecase.cohort import Case, Fold
from wholecase.core.progress import progress
from wholecase.core.seeds import seed_of
from wholecase.evaluation import (
    METRICS,
    Sides,
    Vectors,
    baseline,
    mean_features,
    paired_difference,
)
from wholecase.experiment.outer import Bench
from wholecase.experiment.results import measured

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
Pooled = Mapping[str, Mapping[str, Float[np.ndarray, " D"]]]
"""By pooling and case."""


def against_baselines(
    bench: Bench, judged: Sequence[Judgement]
) -> tuple[dict[str, Any], list[str]]:
    """Metrics of each baseline, the run's minus the baseline's paired by patient, and notes.

    Both figures that papers give are told: pooled, and the mean over folds. The maximum of each
    feature is tried where cases have several instances. A run that learns from pixels has no frozen
    features, and a note instead.
    """
    if bench.extraction.kind is not None:
        return {}, ["Plain baselines need frozen features, and this run learns from pixels."]
    pooled, several = _pooled(bench)
    entries: dict[str, Any] = {}
    notes = []
    for name, (_, pooling) in PLAIN.items():
        if pooling == MAX and not several:
            continue
        plain = [one for fold in bench.folds for one in _judged(bench, fold, name, pooled)]
        order = {one.case.id: one for one in plain}
        same = [order[one.case.id] for one in judged]
        entries[name] = {
            "metrics": measured(same, bench.recipe, f"baseline {name}"),
            "mean_over_folds": _over_folds(same),
            "difference": _differences(bench, judged, same, name),
        }
        if note := _unbeaten(name, entries[name]):
            notes.append(note)
    return entries, notes


def _pooled(bench: Bench) -> tuple[Pooled, bool]:
    """The mean and the maximum of each case, and whether any has several instances."""
    means, most, several = {}, {}, False
    with progress("baselines", len(bench.cases), "cases") as advance:
        for case in bench.cases:
            values = read_case(case, bench.extraction).bag.values
            means[case.id] = mean_features(values, np.array([0, len(values)]))[0]
            most[case.id] = values.max(axis=0).astype(np.float64)
            several |= len(values) > 1
            advance()
    return {MEAN: means, MAX: most}, several


def _judged(bench: Bench, fold: Fold, name: str, pooled: Pooled) -> list[Judgement]:
    model, pooling = PLAIN[name]
    vectors = pooled[pooling]
    train, inner = _vectors(fold.train, vectors), _vectors(fold.valid, vectors)
    # a run that learns from both sides is held against models that do
    sides = Sides(train, inner, len(bench.classes), learns_inner=bench.recipe.protocol.refit)
    rows = baseline(model, sides, _vectors(fold.test, vectors).features)
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
        if metric.fits(parts[0].classes):
            values = [metric(part.truth, part.probabilities, part.decision) for part in parts]
            means[name] = float(np.mean(values))
    return {name: value for name, value in means.items() if np.isfinite(value)}


def _differences(
    bench: Bench, judged: Sequence[Judgement], plain: Sequence[Judgement], name: str
) -> dict[str, dict[str, Any]]:
    ours, theirs, recipe = scores_of(judged), scores_of(plain), bench.recipe
    seed, repeats = seed_of(recipe.protocol.seed, "baseline", name), recipe.evaluate.bootstrap
    return {
        metric: paired_difference(ours, theirs, metric, repeats=repeats, seed=seed).to_json()
        for metric, facts in METRICS.items()
        if ours.classes == 2 or not facts.two_classes_only
    }


def _unbeaten(name: str, entry: Mapping[str, Any]) -> str | None:
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
    model, pooling = PLAIN[name]
    return (
        f"The run does not beat {NAMES[model]} on the {pooling} of its features: {metric} "
        f"{value:.3f} there, the run's is {gap['value']:+.3f} from it ({ends})."
    )
