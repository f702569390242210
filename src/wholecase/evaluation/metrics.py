"""The metrics by name: one number for many cases, with the facts that go with it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from wholecase.core.table import Table
from wholecase.evaluation.apart import (
    Ranking,
    apart,
    each_judge,
    judged,
    of_class,
    pairs,
    positives,
)
from wholecase.evaluation.bounds import Ends, averaged, bounded_mean, effective, of_ranks
from wholecase.evaluation.counting import (
    f1s,
    matthews,
    recalls,
    specificities,
    weighted_confusion,
)
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.honesty import (
    weighted_calibration_error,
    weighted_intercept,
    weighted_slope,
)
from wholecase.evaluation.honesty_bounds import intercept_ends, slope_ends
from wholecase.evaluation.metric import (
    Decision,
    Metric,
    Probabilities,
    Terms,
    Truth,
    Values,
    Weighted,
    Weights,
)
from wholecase.evaluation.ranking import weighted_auroc, weighted_precision
from wholecase.evaluation.scores import Scores

Counting = Callable[[Float[np.ndarray, "R C C"]], Float[np.ndarray, "R C"]]
PerCase = Float[np.ndarray, "M S"]


def _by_rank(ranking: Ranking) -> Weighted:
    def weighted(
        truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
    ) -> Values:
        del decision
        of = judged(truth, probabilities.shape[1])
        values = [ranking(truth == c, probabilities[:, c], weights) for c in of]
        mean: Values = np.mean(values, axis=0)
        return mean

    return weighted


def _by_count(counting: Counting, *, over_occurring: bool = False) -> Weighted:
    def weighted(
        truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
    ) -> Values:
        classes = probabilities.shape[1]
        over = np.unique(truth) if over_occurring else judged(truth, classes)
        table = weighted_confusion(truth, decision, classes, weights)
        mean: Values = counting(table)[:, over].mean(axis=1)
        return mean

    return weighted


def _matthews(
    truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
) -> Values:
    table = weighted_confusion(truth, decision, probabilities.shape[1], weights)
    lost = (table.sum(axis=2)[:, np.unique(truth)] == 0).any(axis=1)
    correlation: Values = np.where(lost, np.nan, matthews(table))
    return correlation


def _separation(
    truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
) -> Values:
    del decision
    likely = probabilities[:, 1].astype(np.float64)
    sides = [weights * (truth == c) for c in (0, 1)]
    without, with_it = (fraction(side @ likely, side.sum(axis=1)) for side in sides)
    apart: Values = with_it - without
    return apart


def _mean_of(terms: Terms) -> Weighted:
    """The mean over all cases of one number per case."""

    def weighted(
        truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
    ) -> Values:
        per_case = terms(truth, probabilities, decision)[:, 0]
        return fraction(weights @ per_case, weights.sum(axis=1))

    return weighted


def _hits(truth: Truth, probabilities: Probabilities, decision: Decision) -> PerCase:
    del probabilities
    right: Float[np.ndarray, " M"] = (truth == decision).astype(np.float64)
    return right[:, None]


def _misses(truth: Truth, probabilities: Probabilities, decision: Decision) -> PerCase:
    del decision
    classes = probabilities.shape[1]
    misses = (probabilities.astype(np.float64) - np.eye(classes)[truth]) ** 2  # [M, C]
    # with two classes the score of the positive one alone, as the literature has it (Brier 1950)
    per_case: Float[np.ndarray, " M"] = misses[:, 1] if classes == 2 else misses.sum(axis=1)
    return per_case[:, None]


def _found(truth: Truth, probabilities: Probabilities, decision: Decision) -> PerCase:
    own = truth[:, None] == judged(truth, probabilities.shape[1])
    return np.where(own, (truth == decision)[:, None], np.nan)


def _found_of_each(truth: Truth, probabilities: Probabilities, decision: Decision) -> PerCase:
    del probabilities
    return np.where(truth[:, None] == np.unique(truth), (truth == decision)[:, None], np.nan)


def _cleared(truth: Truth, probabilities: Probabilities, decision: Decision) -> PerCase:
    of = judged(truth, probabilities.shape[1])
    return np.where(truth[:, None] != of, decision[:, None] != of, np.nan)


def _ranked(scores: Scores, alpha: float) -> Ends:
    """Of the AUROC: the areas of several classes rest on the same cases."""
    once, ends = np.ones((1, len(scores.truth))), []
    for c in judged(scores.truth, scores.classes):
        (area,) = of_class(weighted_auroc, pairs, scores, c, once)
        ends.append(of_ranks(float(area), _sides(scores, scores.truth == c), alpha))
    return averaged([low for low, _ in ends], ends, are_apart=False)


def _sides(scores: Scores, positive: Bool[np.ndarray, " M"]) -> list[tuple[float, float]]:
    """Of each judge how many patients with the class, and without, were ranked."""
    whose = np.array(scores.patients, dtype=object)
    return [
        (effective(tuple(whose[own & positive])), effective(tuple(whose[own & ~positive])))
        for own in each_judge(scores)
        if (own & positive).any() and (own & ~positive).any()
    ]


def _ranked_pooled(scores: Scores, alpha: float) -> Ends:
    return _ranked(replace(scores, judges=None), alpha)


def _overlap(scores: Scores, alpha: float) -> Ends | None:
    """Of F1, which says the same as the share of hits among cases that are, or are called, so."""
    if scores.classes != 2:
        return None
    truth, decided = scores.truth == 1, scores.decision == 1
    either = truth | decided
    patients = tuple(np.array(scores.patients, dtype=object)[either])
    share = float((truth & decided)[either].mean())
    low, high = bounded_mean(share, effective(patients), alpha)
    return 2 * low / (1 + low), 2 * high / (1 + high)


_UNBOUNDED = (-np.inf, np.inf)

METRICS: Table[Metric] = Table(
    "metric",
    {
        "auroc": Metric(
            _by_rank(weighted_auroc),
            "probabilities",
            "classes",
            needs=(0, 1),
            bound=_ranked,
            by_judge=apart(weighted_auroc, pairs),
        ),
        "auprc": Metric(
            _by_rank(weighted_precision),
            "probabilities",
            "classes",
            needs=(0, 1),
            by_judge=apart(weighted_precision, positives),
        ),
        "balanced_accuracy": Metric(
            _by_count(recalls, over_occurring=True), "decisions", "classes", terms=_found_of_each
        ),
        "f1": Metric(_by_count(f1s), "decisions", "classes", needs=(1,), bound=_overlap),
        "sensitivity": Metric(_by_count(recalls), "decisions", "classes", needs=(1,), terms=_found),
        "specificity": Metric(
            _by_count(specificities), "decisions", "classes", needs=(0,), terms=_cleared
        ),
        "accuracy": Metric(_mean_of(_hits), "decisions", "cases", terms=_hits),
        "matthews": Metric(_matthews, "decisions", "classes", needs=(0, 1), within=(-1.0, 1.0)),
        "brier": Metric(
            _mean_of(_misses),
            "probabilities",
            "cases",
            best=0.0,
            within_of_many=(0.0, 2.0),
            terms=_misses,
        ),
        "ece": Metric(
            weighted_calibration_error, "probabilities", "cases", best=0.0, is_redrawn=False
        ),
        "calibration_slope": Metric(
            weighted_slope,
            "probabilities",
            "classes",
            needs=(0, 1),
            within=_UNBOUNDED,
            bound=slope_ends,
            is_redrawn=False,
            two_classes_only=True,
        ),
        "calibration_intercept": Metric(
            weighted_intercept,
            "probabilities",
            "classes",
            needs=(0, 1),
            within=_UNBOUNDED,
            best=0.0,
            bound=intercept_ends,
            is_redrawn=False,
            two_classes_only=True,
        ),
        "separation": Metric(
            _separation,
            "probabilities",
            "classes",
            needs=(0, 1),
            within=(-1.0, 1.0),
            two_classes_only=True,
        ),
        "auroc_pooled": Metric(
            _by_rank(weighted_auroc),
            "probabilities",
            "classes",
            needs=(0, 1),
            bound=_ranked_pooled,
            several_judges_only=True,
        ),
        "auprc_pooled": Metric(
            _by_rank(weighted_precision),
            "probabilities",
            "classes",
            needs=(0, 1),
            several_judges_only=True,
        ),
    },
    Metric,
)
"""In the order of the papers; a new one states its facts here and has its interval from them."""
