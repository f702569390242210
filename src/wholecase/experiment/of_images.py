"""How well single images are decided, as the literature on BreakHis tells it, beside the cases.

The recognition rate of a patient is the share of the patient's images that are decided rightly;
the mean over patients is the patient-level recognition rate (Spanhol 2016). The image-level one
counts each image once. Neither is the answer for the case, which all of its images give together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from wholecase.answer import ImageAlone, Judgement, scores_of
from wholecase.core.seeds import seed_of
from wholecase.evaluation import mean_interval, measure
from wholecase.recipes import Recipe

TOLD = ("auroc", "balanced_accuracy", "sensitivity", "specificity", "f1")
"""Metrics over images, besides how many are decided rightly."""


def of_images(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """`recognition_rate`, `image_accuracy` and `metrics` of images, with intervals by patient.

    Of all images under `all`; where there are several magnifications of each, too. Empty where no
    case has several images that are judged alone.
    """
    asked = [one for one in judgements if one.images]
    scales: dict[str, list[Judgement]] = {"all": []}
    for one in asked:
        for number, alone in (one.images or {}).items():
            scale = one.case.images[number].magnification
            for name in ("all", *([] if scale is None else [f"{scale:g}"])):
                scales.setdefault(name, []).append(_were_it_all(one, alone))
    if not asked:
        return {}
    several = sorted(set(scales) - {"all"}, key=float)
    names = ["all", *(several if len(several) > 1 else ())]
    return {name: _rates(scales[name], recipe, name) for name in names}


def _were_it_all(one: Judgement, alone: ImageAlone) -> Judgement:
    """What its judge says of an image, as if that were all of the case."""
    return replace(one, probabilities=alone.probabilities, decision=alone.decision)


def _rates(images: Sequence[Judgement], recipe: Recipe, name: str) -> dict[str, Any]:
    scores = scores_of(images)
    whose, right = scores.patients, (scores.truth == scores.decision).astype(np.float64)
    patients = tuple(dict.fromkeys(whose))
    rates = np.array([right[np.array(whose) == patient].mean() for patient in patients])
    seed, repeats = seed_of(recipe.protocol.seed, "images", name), recipe.evaluate.bootstrap
    told = {
        "recognition_rate": mean_interval(
            rates, patients, within=(0.0, 1.0), repeats=repeats, seed=seed
        ),
        "image_accuracy": mean_interval(
            right, whose, within=(0.0, 1.0), repeats=repeats, seed=seed
        ),
    }
    measured = measure(scores, repeats=repeats, seed=seed, only=TOLD)
    return {
        **{key: one.to_json() for key, one in told.items()},
        "metrics": {key: one.to_json() for key, one in measured.items()},
        "images": len(images),
    }


def image_notes(images: Mapping[str, Any]) -> list[str]:
    """One sentence, which says what the figures are not."""
    if not images:
        return []
    rate = images["all"]["recognition_rate"]
    ends = "" if rate["low"] is None else f" ({rate['low']:.3f} to {rate['high']:.3f})"
    return [
        f"Of {images['all']['images']} images judged alone, at the threshold of the cases, the "
        f"patient-level recognition rate is {rate['value']:.3f}{ends}: the mean over patients of "
        "the share of their images decided rightly. It is no answer for a case."
    ]
