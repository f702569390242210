"""A vote of runs is asked about new cases: each run is asked, and their fold models vote."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wholecase.answer import Judgement, joint_evidence, read_choices, voted
from wholecase.evaluation import together
from wholecase.runs import RunFolder, voters, voting_runs

SEEN = ("file", "picture", "patient")
"""By what a case is known, the surest first."""


def said_together(
    root: Path, answers: Sequence[Iterator[Judgement]], cases: Sequence[str]
) -> Iterator[Judgement]:
    """What the vote says of each of these cases, in order: the mean of what its folds say.

    Args:
        root: folder of the vote.
        answers: of its runs, each in the order of the cases; those of further cases are passed by.
        cases: ids of those that all runs judge.
    """
    folder, wanted = RunFolder(root), set(cases)
    names = [run.name for run in voting_runs(folder)]
    folds = {n: (voters(folder, n), read_choices(folder.fold(n))) for n in folder.fold_numbers}
    chosen = [one.threshold for _, one in folds.values() if one.threshold is not None]
    threshold = float(np.median(chosen)) if chosen else None
    those = [(one for one in answer if one.case.id in wanted) for answer in answers]
    for said in zip(*those, strict=True):
        by_name = dict(zip(names, said, strict=True))
        of_folds = [
            voted(
                number,
                [_of_fold(by_name[name], number) for name in weights],
                choices.threshold,
                list(weights.values()),
            )
            for number, (weights, choices) in folds.items()
        ]
        yield _complete(voted(str(root), of_folds, threshold), said)


def _of_fold(said: Judgement, number: int) -> Judgement:
    """What the model of that fold says, among those of its run."""
    return next(one for one in said.others if one.judge == number)


def _complete(vote: Judgement, said: Sequence[Judgement]) -> Judgement:
    """With what rests on runs as a whole: evidence, novelty, and whether one was taught by it."""
    known = {one.seen for one in said}
    parts = [one.evidence for one in said if one.evidence is not None]
    novelties = [one.novelty for one in said if one.novelty is not None]
    return replace(
        vote,
        evidence=joint_evidence(parts) if parts else None,
        novelty=together(novelties) if novelties else None,
        seen=next((word for word in SEEN if word in known), ""),
    )
