"""What a run would give who may refer a case, or name several classes, instead of deciding."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wholecase.answer import Judgement
from wholecase.core.seeds import seed_of
from wholecase.evaluation import COVERS, SURE, set_limits, sets_of, share, zone_of
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder, read_rows


def abstaining(
    run: RunFolder, judged: Sequence[Judgement], recipe: Recipe
) -> dict[str, dict[str, Any]]:
    """`refer` and `sets` of `metrics.json`: limits from inner patients, told of test patients.

    `refer` is of two classes, and of folds with enough inner patients; `sets` of any number.
    """
    parts: dict[str, list[Any]] = {"referred": [], "sets": [], "zones": [], "limits": []}
    kept: list[Judgement] = []
    for number in sorted({int(one.judge) for one in judged}):
        own = [one for one in judged if int(one.judge) == number]
        rows = read_rows(run.fold(number).inner)
        classes = own[0].classes
        truth = np.array([classes.index(row["label"]) for row in rows], dtype=np.int64)
        said = np.array([[float(row[f"probability_{c}"]) for c in classes] for row in rows])
        test = np.stack([one.probabilities for one in own]).astype(np.float64)
        limits = set_limits(truth, said, [row["patient_id"] for row in rows])
        parts["limits"].append(limits.tolist())
        parts["sets"].append(sets_of(test, limits))
        zone = zone_of(truth, said[:, 1]) if len(classes) == 2 else None
        parts["zones"].append(None if zone is None else [zone.low, zone.high])
        none = np.zeros(len(own), dtype=bool)
        parts["referred"].append(none if zone is None else zone.holds(test[:, 1]))
        kept += own
    told = {"sets": _sets(kept, np.concatenate(parts["sets"]), parts["limits"], recipe)}
    if None not in parts["zones"]:
        referred = np.concatenate(parts["referred"])
        told["refer"] = _referred(kept, referred, parts["zones"], recipe)
    return told


def _referred(
    judged: Sequence[Judgement], referred: np.ndarray, zones: list[Any], recipe: Recipe
) -> dict[str, Any]:
    right = np.array([one.decision == one.case.target for one in judged])
    groups = {"accuracy": ~referred, "accuracy_referred": referred}
    return {
        "sure": SURE,
        "zones": zones,
        "decided": _share(judged, ~referred, recipe, "decided"),
        **{
            name: _share(_of(judged, own), right[own], recipe, name)
            for name, own in groups.items()
            if own.any()
        },
    }


def _sets(
    judged: Sequence[Judgement], sets: np.ndarray, limits: list[Any], recipe: Recipe
) -> dict[str, Any]:
    targets = np.array([one.case.target for one in judged])
    holds = sets[np.arange(len(judged)), targets]
    classes = judged[0].classes
    return {
        "covers": COVERS,
        "limits": limits,
        "holds": {
            name: _share(_of(judged, targets == c), holds[targets == c], recipe, name)
            for c, name in enumerate(classes)
            if (targets == c).any()
        },
        "single": _share(judged, sets.sum(1) == 1, recipe, "single"),
        "empty": _share(judged, sets.sum(1) == 0, recipe, "empty"),
    }


def _of(judged: Sequence[Judgement], own: np.ndarray) -> list[Judgement]:
    return [one for one, is_own in zip(judged, own.tolist(), strict=True) if is_own]


def _share(
    judged: Sequence[Judgement], holds: np.ndarray, recipe: Recipe, name: str
) -> dict[str, Any]:
    patients = [one.case.patient for one in judged]
    seed = seed_of(recipe.protocol.seed, "abstaining", name)
    return share(holds, patients, repeats=recipe.evaluate.bootstrap, seed=seed).to_json()
