"""A model and cases -> probabilities and evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from wholecase.answer.bags import CaseBag, case_bag, example_of
from wholecase.cohort import Case
from wholecase.explain import ATTENTION, GRAD_CAM, Evidence, grad_cam, position_map
from wholecase.extract import Extraction
from wholecase.models import Answer, Batch, CaseModel, Mapped, answers
from wholecase.training import Example, pack


@dataclass(frozen=True)
class Judged:
    """What one model says of one case."""

    case: Case
    example: Example
    probabilities: Float[np.ndarray, " C"]
    """As the head gives them, not calibrated."""
    evidence: Evidence


def judge_cases(
    model: CaseModel, cases: Sequence[Case], extraction: Extraction, *, maps: bool = True
) -> Iterator[Judged]:
    """Judge cases one at a time, in order: a case's answer never depends on its neighbours.

    Without `maps` a model that sees pixels does not tell where within its instances it looked.
    """
    for case in cases:
        bag = case_bag(case, extraction)
        example = example_of(case, bag)
        (answer,) = answers(model, [pack([example])])
        with torch.no_grad():
            row = model.head.probabilities(answer)[0].double().cpu().numpy()
        said = _said(model, example, answer)
        evidence = _evidence(answer, bag, said)
        target = 1 if len(row) == 2 else int(row.argmax())
        if maps:
            evidence = replace(evidence, maps=_maps(model, example, answer, target))
        yield Judged(case, example, row, evidence)


def _said(model: CaseModel, example: Example, answer: Answer) -> Float[np.ndarray, "N L"]:
    """What each instance says of each class, by its weight: attention alone does not tell."""
    pooled, count = answer.pooled, len(example.values)
    if model.head.remembers or pooled.origin is not None:
        return np.zeros((count, 0), dtype=np.float32)
    names = tuple(str(i) for i in range(count))
    alone = Batch(
        example.values,
        torch.arange(count + 1),
        names,
        names,
        scale=example.scale,
        position=example.position,
        images=torch.arange(count + 1),
    )
    (each,) = answers(model, [alone])
    with torch.no_grad():
        branches = pooled.embedding.shape[1] if answer.instance_logits is None else 1
        mean = pooled.instances.mean(0).expand(1, branches, -1)
        gap = each.logits - model.head.logits(mean)
        said: Float[np.ndarray, "N L"] = (pooled.weights.mean(1, keepdim=True) * gap).cpu().numpy()
    return said


def _maps(
    model: CaseModel, example: Example, answer: Answer, target: int
) -> dict[str, Float[np.ndarray, "N h w"]]:
    """Where within the instances: what speaks for the class, and what was attended to."""
    maps = {}
    if isinstance(model.backbone, Mapped):
        maps[GRAD_CAM] = grad_cam(model, pack([example]), target)
    if answer.pooled.cell is not None:
        maps[ATTENTION] = position_map(answer.pooled).cpu().numpy()
    return maps


def _evidence(answer: Answer, bag: CaseBag, said: Float[np.ndarray, "N L"]) -> Evidence:
    pooled = answer.pooled
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
        logits=said,
    )
