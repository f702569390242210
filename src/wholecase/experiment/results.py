"""Predictions of all outer folds -> tables and metrics."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer import SHARES, Judgement, scores_of
from wholecase.cohort import Case
from wholecase.core.files import write_json
from wholecase.core.seeds import seed_of
from wholecase.evaluation import (
    METRICS,
    Interval,
    Novelty,
    error_if_honest,
    held,
    integrated_index,
    mean_interval,
    measure,
    observed_expected,
    p_of_chance,
    shares_of_pairs,
)
from wholecase.experiment.abstaining import abstaining
from wholecase.experiment.exchanged import NAMES, lost_notes
from wholecase.experiment.importance import importance_notes, learnt_importance
from wholecase.experiment.localised import of_lesion_slices
from wholecase.experiment.of_images import image_notes, of_images
from wholecase.experiment.stability import Stability
from wholecase.experiment.subgroups import of_subgroups
from wholecase.models import PASSES
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder, forced, write_rows

Columns = Mapping[str, Mapping[str, str]]
"""Column of the manifest -> case id -> what stands there."""
Examine = Callable[[Mapping[str, Any]], list[dict[str, Any]]]
SEVERITIES = ("error", "warning", "remark")
POOLED = "pooled"
"""All folds together."""


def write_predictions(
    path: Path, judgements: Sequence[Judgement], classes: Sequence[str], *, spread: bool = False
) -> None:
    """One row per case: of the folds of a run who judged, of new cases how far the models differ.

    Args:
        path: of the CSV file.
        judgements: of fold models, or with `spread` of votes.
        classes: names, in the order of the probabilities.
        spread: the fold models' standard deviation stands at the end, instead of the fold, and
            whether the case is new to them: its percentile among inner cases, marks, and by what
            it is known.

    Where sets of views judged, `view_spread` tells how far these are from each other.
    """
    named = [f"probability_{name}" for name in classes]
    seen = ("view_spread",) if any(one.view_spread is not None for one in judgements) else ()
    ends = ("spread", "distance_percentile", "unlike", "seen") if spread else ()
    columns = ["case_id", "patient_id", *([] if spread else ["fold"]), "label", *named, "decision"]
    rows = [
        {
            "case_id": one.case.id,
            "patient_id": one.case.patient,
            "fold": one.judge,
            "label": _label(one.case, classes),
            **dict(zip(named, (f"{p:.8f}" for p in one.probabilities), strict=True)),
            "decision": classes[one.decision],
            "view_spread": None if one.view_spread is None else f"{one.view_spread:.8f}",
            "spread": f"{one.spread:.8f}",
            **_novel(one.novelty),
            "seen": one.seen,
        }
        for one in judgements
    ]
    chosen = [*columns, *seen, *ends]
    write_rows(path, chosen, [{name: row.get(name) for name in chosen} for row in rows])


def _novel(novelty: Novelty | None) -> dict[str, object]:
    """Cells about how far a case lies from what was learnt from; empty where that is not known."""
    if novelty is None:
        return {}
    known = not math.isnan(novelty.percentile)
    return {
        "distance": f"{novelty.distance:.4f}",
        "distance_percentile": f"{novelty.percentile:.4f}" if known else None,
        "unlike": int(novelty.is_unlike),
    }


def write_novelty(path: Path, judgements: Sequence[Judgement]) -> None:
    """How far each judged case lies from what the model that judged it learnt from."""
    columns = ("case_id", "patient_id", "fold", "distance", "distance_percentile", "unlike")
    rows = [
        {
            "case_id": one.case.id,
            "patient_id": one.case.patient,
            "fold": one.judge,
            **_novel(one.novelty),
        }
        for one in judgements
        if one.novelty is not None
    ]
    write_rows(path, columns, rows)


def _label(case: Case, classes: Sequence[str]) -> str | None:
    return case.label if case.target is None else classes[case.target]


def write_metrics(  # noqa: PLR0913 (all that the file holds)
    run: RunFolder,
    judgements: Sequence[Judgement],
    recipe: Recipe,
    stability: Stability = Stability(),  # noqa: B008 (frozen)
    warnings: Sequence[str] = (),
    baselines: tuple[dict[str, Any], list[str]] = ({}, []),
    *,
    repeats: dict[str, Any] | None = None,
    lost: Mapping[str, Interval] | None = None,
    columns: Columns | None = None,
    examine: Examine | None = None,
) -> dict[str, Any]:
    """Over all outer folds, and per fold; each with its interval by patient.

    Ranks are compared within folds (`share_of_pairs` tells how much each weighs in the AUROC of
    two classes); `auroc_pooled` and `auprc_pooled` compare across them.

    `warnings` are what the cohort itself calls for; `baselines` is `against_baselines`, `repeats`
    is `told_of_repeats`, and `lost` what answers lose with the views of a scale exchanged. By
    `columns` of the manifest cases are parted into subgroups. What
    `examine` finds in all of this stands under `checks`, and what fails before all other notes.
    """
    metrics = measured_by_fold(judgements, recipe)
    folds = [int(entry["fold"]) for entry in metrics["folds"]]
    images, lost = of_images(judgements, recipe), lost or {}
    importance = learnt_importance(run, recipe, folds, lost)
    parts = {
        "faithfulness": _faithfulness(judgements, recipe),
        "lesion_slices": of_lesion_slices(judgements, recipe),
        "baselines": baselines[0],
        "images": images,
        "importance": importance,
        "scales_shuffled": lost[NAMES].to_json() if lost else {},
        "repeats": repeats,
        "chance": _chance(judgements, recipe),
        "calibration": _calibration(judgements, recipe),
        **abstaining(run, judgements, recipe),
        "subgroups": of_subgroups(judgements, columns or {}, recipe),
    }
    metrics |= {name: part for name, part in parts.items() if part}
    metrics["spread"] = spread_of(metrics["folds"])
    if stability.interval is not None:
        metrics["stability"] = stability.interval.to_json()
    metrics["checks"] = [] if examine is None else examine(metrics)
    metrics["notes"] = [
        *failed_notes(metrics["checks"]),
        *warnings,
        *([] if baselines[0] else baselines[1]),
        *image_notes(images),
        *importance_notes(importance),
        *lost_notes(lost, len(folds)),
        *stability.notes,
        *filter(None, [_dropout_note(recipe)]),
    ]
    write_json(run.metrics, metrics)
    return metrics


def measured_by_fold(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """`pooled` and `folds` of `metrics.json`."""
    folds = sorted({int(j.judge) for j in judgements})
    shares = shares_of_pairs(scores_of(judgements), folds)
    return {
        "pooled": measured(judgements, recipe),
        "folds": [
            {
                "fold": number,
                "share_of_pairs": shares.get(number),
                "metrics": measured(
                    [j for j in judgements if int(j.judge) == number], recipe, number
                ),
            }
            for number in folds
        ],
    }


def measured(
    judgements: Sequence[Judgement], recipe: Recipe, name: object = POOLED
) -> dict[str, dict[str, Any]]:
    """Metric name -> value, low, high, n; of all folds together also how far it can be trusted.

    That is how often such intervals `held` the truth in drawn cohorts.
    """
    seed, repeats = seed_of(recipe.protocol.seed, "bootstrap", name), recipe.evaluate.bootstrap
    patients = tuple(j.case.patient for j in judgements)
    intervals: dict[str, Interval] = measure(
        scores_of(judgements),
        only=(*METRICS, *recipe.evaluate.metrics),
        repeats=repeats,
        seed=seed,
    )
    found = [np.nan if j.localisation is None else j.localisation for j in judgements]
    if not np.isnan(found).all():
        values = np.array(found, dtype=np.float64)
        intervals["localisation_auc"] = mean_interval(values, patients, repeats=repeats, seed=seed)
    told = {metric: interval.to_json() for metric, interval in intervals.items()}
    if name == POOLED:
        _tell_coverage(told, len({j.judge for j in judgements}))
    return told


def _tell_coverage(pooled: Mapping[str, dict[str, Any]], folds: int) -> None:
    """How often such intervals `held` the truth in drawn cohorts, beside each interval."""
    for metric, one in pooled.items():
        told = None if one["low"] is None else held(metric, one["n"], folds)
        if told is not None:
            one["held"] = asdict(told)


def _calibration(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """Of two classes: are the probabilities right on the whole, and along their range?"""
    scores = scores_of(judgements)
    if scores.classes != 2:
        return {}
    said = scores.probabilities[:, 1].astype(np.float64)
    seed = seed_of(recipe.protocol.seed, "honest")
    return {
        "observed_expected": observed_expected(scores.truth, said, scores.patients).to_json(),
        "ici": integrated_index(scores.truth, said),
        "ece_if_honest": error_if_honest(said, seed),
    }


def _chance(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """How likely labels that tell nothing give such an AUROC."""
    times, seed = recipe.evaluate.bootstrap, seed_of(recipe.protocol.seed, "chance")
    p = p_of_chance(scores_of(judgements), repeats=times, seed=seed)
    return {} if p is None else {"p": p, "permutations": times}


def _faithfulness(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """Deletion curves, mean over the cases that have them, and the gap at a tenth of the tiles."""
    have = [(j.case.patient, j.faithfulness) for j in judgements if j.faithfulness is not None]
    if not have:
        return {}
    patients = tuple(patient for patient, _ in have)
    tops, randoms = (np.stack([getattr(f, name) for _, f in have]) for name in ("top", "random"))
    tenth = SHARES.index(0.1)
    seed, repeats = seed_of(recipe.protocol.seed, "faithfulness"), recipe.evaluate.bootstrap

    def interval(values: np.ndarray) -> dict[str, float | int | None]:
        interval = mean_interval(values.astype(np.float64), patients, repeats=repeats, seed=seed)
        return interval.to_json()

    return {
        "shares": list(SHARES),
        "top": tops.mean(0).tolist(),
        "random": randoms.mean(0).tolist(),
        "drop_top": interval(tops[:, 0] - tops[:, tenth]),
        "drop_random": interval(randoms[:, 0] - randoms[:, tenth]),
        "area": interval(np.array([f.area for _, f in have])),
        "cases": len(have),
    }


def spread_of(folds: list[dict[str, Any]]) -> dict[str, dict[str, float | int]]:
    """Mean and standard deviation over folds, as tables of papers give them."""
    spread = {}
    for metric in folds[0]["metrics"]:
        of_folds = [fold["metrics"].get(metric, {}).get("value") for fold in folds]
        values = [value for value in of_folds if value is not None]
        if len(values) > 1:
            spread[metric] = {
                "mean": statistics.fmean(values),
                "deviation": statistics.stdev(values),
                "folds": len(values),
            }
    return spread


def failed_notes(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader must know, by its code; the gravest first.

    Sides that are not apart stand there whatever reason mutes them.
    """
    always = forced(checks)
    failed = [check for check in checks if check["state"] == "failed" or check is always]
    failed.sort(key=lambda check: SEVERITIES.index(check["severity"]))
    return [f"{check['code']}: {check['sentence']}" for check in failed]


def _dropout_note(recipe: Recipe) -> str:
    """That epochs were chosen under other conditions than those that judge; empty by default."""
    share = recipe.train.validation_dropout
    if not share:
        return ""
    return (
        f"Epochs were chosen on inner patients with {share:g} of the heads' hidden numbers dropped "
        f"(train.validation_dropout), by the mean of {PASSES} seeded passes; temperature, "
        "threshold and test patients are judged without."
    )
