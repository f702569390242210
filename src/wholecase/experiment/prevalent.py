"""A run's answers where the positive class has another share than in its cohort."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wholecase.answer import Judgement, TrainedRun
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.evaluation import (
    Interval,
    estimated_prevalence,
    predictive_values,
    reweighted,
    threshold_rule,
)
from wholecase.report import judged_scores
from wholecase.runs import FoldFolder, read_rows

ESTIMATED = "estimate"
"""Asks for the share that the answers themselves make most likely."""


def share_asked(text: str) -> float | None:
    """A prevalence as a user writes it; None where it is to be estimated.

    Raises:
        RunError: it is neither a number between 0 and 1 nor `estimate`.
    """
    if text == ESTIMATED:
        return None
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        raise RunError(
            f"{text!r} is no prevalence; write a share between 0 and 1, such as 0.06, or "
            f"{ESTIMATED!r}"
        )
    return share


def at_prevalence(
    trained: TrainedRun, judgements: Sequence[Judgement], asked: float | None
) -> tuple[list[Judgement], list[str]]:
    """The answers at a prevalence, with thresholds chosen anew, and what to know of it.

    Args:
        trained: of two classes.
        judgements: of new cases.
        asked: the share of the positive class there; None estimates it from these answers.

    Raises:
        RunError: the run tells more than two classes apart.
    """
    if len(trained.classes) != 2:
        raise RunError(
            f"{trained.folder.root} tells {len(trained.classes)} classes apart; a prevalence is of "
            "one of two"
        )
    learnt = learnt_share(trained)
    said = np.array([one.probabilities[1] for one in judgements])
    here = estimated_prevalence(said, learnt) if asked is None else asked
    threshold = float(
        np.median([_threshold(fold, trained, learnt, here) for fold in _folds(trained)])
    )
    moved = reweighted(said, learnt, here)
    answers = [
        replace(one, probabilities=np.array([1 - p, p]), decision=int(p > threshold))
        for one, p in zip(judgements, moved.tolist(), strict=True)
    ]
    return answers, _notes(trained, (learnt, here), threshold, is_guess=asked is None)


def learnt_share(trained: TrainedRun) -> float:
    """The share of the positive class among the cases of the run."""
    labels = [row["label"] for row in read_rows(trained.folder.predictions)]
    return labels.count(trained.classes[1]) / len(labels)


def _folds(trained: TrainedRun) -> list[FoldFolder]:
    return [trained.folder.fold(number) for number in trained.folder.fold_numbers]


def _threshold(fold: FoldFolder, trained: TrainedRun, learnt: float, here: float) -> float:
    """By the fold's own rule, on its inner cases counted as often as they would occur."""
    rule = threshold_rule(read_json(fold.choices)["threshold_rule"])
    rows = read_rows(fold.inner)
    truth = np.array([row["label"] == trained.classes[1] for row in rows], dtype=np.int64)
    positive = np.array([float(row[f"probability_{trained.classes[1]}"]) for row in rows])
    return rule.at_prevalence(truth, reweighted(positive, learnt, here), here)


def _notes(
    trained: TrainedRun, shares: tuple[float, float], threshold: float, *, is_guess: bool
) -> list[str]:
    learnt, here = shares
    scores = judged_scores(trained.folder)
    told = predictive_values(scores, here)
    name = trained.classes[1]
    how = "estimated from these answers" if is_guess else "as asked"
    return [
        f"Prevalence of {name!r} {here:.3f}, {how}; {learnt:.3f} in the run's cohort. The odds are "
        f"multiplied by what lies between, and thresholds chosen anew (median {threshold:.3f}); "
        "this holds if cases of a class look alike in both places.",
        f"With the run's own decisions there: PPV {_words(told.positive)}, NPV "
        f"{_words(told.negative)}.",
    ]


def _words(one: Interval) -> str:
    if one.value is None:
        return "undefined"
    ends = "" if one.low is None else f" ({one.low:.3f} to {one.high:.3f})"
    return f"{one.value:.3f}{ends}"
