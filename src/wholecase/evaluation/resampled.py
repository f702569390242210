"""Tests that ask what folds and chance make of a figure: corrected for shared training cases."""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float, Int

from wholecase.core.seeds import generator
from wholecase.evaluation.apart import each_judge
from wholecase.evaluation.interval import Gap, Interval, without_ends
from wholecase.evaluation.scores import Scores

FEW_FOLDS = "fewer than two folds in which both are defined"
ALIKE = "the difference is the same in all folds"


def over_folds(differences: Sequence[float], share: float, n: int, alpha: float = 0.05) -> Gap:
    """The mean of a difference over folds, by the corrected t-test (Nadeau & Bengio 2003).

    Models of different folds share training cases, so that their figures vary together: the
    variance of the mean is that of the differences times 1/k + `share`, not times 1/k.

    Args:
        differences: of each fold; those that are not finite are out.
        share: test patients by training patients, on average over folds.
        n: patients.
        alpha: 1 less the confidence.

    >>> told = over_folds([0.1, 0.02, 0.06, 0.04, 0.08], 0.25, 100)
    >>> round(told.difference.value, 3), round(told.p, 3)
    (0.06, 0.047)
    """
    told = np.array([d for d in differences if np.isfinite(d)])
    k = len(told)
    if k < 2:
        return Gap(without_ends(None, n, FEW_FOLDS), None, FEW_FOLDS)
    how = f"Nadeau and Bengio's corrected t-test on {k} folds"
    mean, spread = float(told.mean()), float(told.std(ddof=1))
    if spread < 1e-12:
        return Gap(without_ends(mean, n, ALIKE), 1.0 if abs(mean) < 1e-12 else None, how)
    error = spread * float(np.sqrt(1 / k + share))
    reach = float(scipy.special.stdtrit(k - 1, 1 - alpha / 2)) * error
    p = 2 * float(scipy.special.stdtr(k - 1, -abs(mean) / error))
    return Gap(Interval(mean, mean - reach, mean + reach, n, "formula"), p, how)


def p_of_chance(scores: Scores, *, repeats: int = 2000, seed: int) -> float | None:
    """How likely labels that tell nothing give such an AUROC, or a better one; of two classes.

    Labels are dealt anew among the patients of a judge who have as many cases (permutation test,
    Good 2005), and ranks are compared within what one judge said. One permutation more counts: the
    one that was seen. None where no judge saw both classes.

    The answers are taken as they stand, and nobody learns anew from the dealt labels: of judges
    that were taught apart from these cases it is exact; on folds of one cohort, whose models learnt
    from each other's cases, it is too small more often than it says.
    """
    from scipy.stats import rankdata

    if scores.classes != 2:
        return None
    rng, over, seen = generator(seed, "permutation"), np.zeros(repeats), 0.0
    pairs = 0.0
    for own in each_judge(scores):
        truth = (scores.truth[own] == 1).astype(np.float64)
        some, others = truth.sum(), (1 - truth).sum()
        if not some or not others:
            continue
        ranks = rankdata(scores.probabilities[own, 1])
        patients = np.array(scores.patients, dtype=object)[own].astype(str)
        dealt = _dealt(truth, patients, repeats, rng)
        counts = dealt.sum(axis=1)
        over += dealt @ ranks - counts * (counts + 1) / 2
        seen += float(truth @ ranks) - some * (some + 1) / 2
        pairs += some * others
    if not pairs:
        return None
    return float((1 + (over >= seen - 1e-9).sum()) / (1 + repeats))


def _dealt(
    truth: Float[np.ndarray, " M"],
    patients: np.ndarray,
    repeats: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "R M"]:
    """Labels dealt among patients with as many cases; the labels of a patient stay together."""
    _, whose, sizes = np.unique(patients, return_inverse=True, return_counts=True)
    order = np.argsort(whose, kind="stable")
    starts = np.cumsum(sizes) - sizes
    dealt: Float[np.ndarray, "R M"] = np.empty((repeats, len(truth)))
    for size in np.unique(sizes):
        blocks: Int[np.ndarray, "P S"] = order[starts[sizes == size][:, None] + np.arange(size)]
        turns = rng.permuted(np.tile(np.arange(len(blocks)), (repeats, 1)), axis=1)
        dealt[:, blocks] = truth[blocks][turns]
    return dealt
