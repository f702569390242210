"""A model and cases -> probabilities and evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from wholecase.answer.bags import CaseExamples, case_bag
from wholecase.cohort import Case
from wholecase.explain import Evidence
from wholecase.extract import Extraction
from wholecase.models import Answer, CaseModel, answers
from wholecase.training import pack


@dataclass(frozen=True)
class Judged:
    """What one model says of one case."""

    case: Case
    probabilities: Float[np.ndarray, " C"]
    """As the head gives them, not calibrated."""
    evidence: Evidence


def judge_cases(
    model: CaseModel, cases: Sequence[Case], extraction: Extraction
) -> Iterator[Judged]:
    """Judge cases one at a time, in order: a case's answer never depends on its neighbours."""
    examples = CaseExamples(cases, extraction, classes=0, keep_bytes=0)
    batches = (pack([examples[i]]) for i in range(len(cases)))
    for case, answer in zip(cases, answers(model, batches), strict=True):
        with torch.no_grad():
            row = model.head.probabilities(answer)[0].double().cpu().numpy()
        yield Judged(case, row, _evidence(case, answer, extraction))


def _evidence(case: Case, answer: Answer, extraction: Extraction) -> Evidence:
    bag, pooled = case_bag(case, extraction), answer.pooled
    weights, scores = pooled.weights.cpu(), pooled.scores.cpu()
    if pooled.origin is not None:  # several vectors per instance: their weights add up
        origin = pooled.origin.cpu()
        count = len(bag.values)
        weights = weights.new_zeros((count, weights.shape[1])).index_add(0, origin, weights)
        highest = scores.new_full((count, scores.shape[1]), -torch.inf)
        index = origin[:, None].expand_as(scores)
        scores = highest.scatter_reduce(0, index, scores, "amax")
    return Evidence(
        weights=weights.numpy(),
        scores=scores.numpy(),
        image=bag.image,
        box_px=bag.box_px,
        position_um=bag.position_um,
    )
