"""Whether chance alone makes two judges of the same cases differ."""

import numpy as np

from wholecase.evaluation.delong import delong
from wholecase.evaluation.interval import Gap
from wholecase.evaluation.mcnemar import mcnemar
from wholecase.evaluation.scores import Scores


def paired_tests(first: Scores, second: Scores) -> dict[str, Gap]:
    """McNemar's test of the decisions (`accuracy`), and of two classes DeLong's of the `auroc`.

    Both by patient, ranks within folds; differences are the first less the second.
    """
    right = [one.decision == one.truth for one in (first, second)]
    found = {"accuracy": mcnemar(right[0], right[1], first.patients)}
    if first.probabilities.shape[1] == 2:
        positives = np.stack([one.probabilities[:, 1] for one in (first, second)], axis=1)
        found["auroc"] = delong(first.truth == 1, positives, first.patients, first.judges)
    return found
