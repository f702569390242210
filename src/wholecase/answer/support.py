"""What an answer rests on: the weight of every instance, what it says, and where it looked."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.answer.bags import CaseBag, Reading
from wholecase.explain import ATTENTION, GRAD_CAM, Evidence, grad_cam, position_map
from wholecase.models import Answer, CaseModel, each_alone, each_told, mapped
from wholecase.training import Example, pack


def supported(
    model: CaseModel,
    case: tuple[Reading, Example],
    answer: Answer,
    probabilities: Float[np.ndarray, " C"],
    *,
    full: bool,
) -> Evidence:
    """The evidence behind a model's answer about one case.

    Args:
        model: that answered.
        case: as it was read, and past the model's network or its maps.
        answer: about it alone.
        probabilities: of its classes; with more than two, maps are of the most probable.
        full: also what each instance says, and where within its instances a model that sees pixels
            looked; else the weights alone.
    """
    reading, through = case
    if not full:
        return _evidence(answer, reading.bag, _nothing(reading), {})
    target = 1 if len(probabilities) == 2 else int(probabilities.argmax())
    single = _single(model, through, answer)
    logits = _nothing(reading) if single is None else _logits(model, answer, single)
    maps = _maps(model, through, answer, target)
    alone = _alone(model, answer, single, len(reading.bag.values))
    return replace(_evidence(answer, reading.bag, logits, maps), alone=alone)


def mean_evidence(parts: Sequence[Evidence]) -> Evidence:
    """The mean of several judges' evidence of one case, as far as they have the same columns."""
    first = parts[0]
    weights, scores, logits = (
        _mean([getattr(part, name) for part in parts]) for name in ("weights", "scores", "logits")
    )
    shared = set(first.maps).intersection(*(part.maps for part in parts))
    maps = {name: np.mean([part.maps[name] for part in parts], 0) for name in sorted(shared)}
    each = [part.alone for part in parts if part.alone is not None]
    alone = np.mean(each, 0) if len(each) == len(parts) else None
    return replace(first, weights=weights, scores=scores, logits=logits, maps=maps, alone=alone)


def joint_evidence(parts: Sequence[Evidence]) -> Evidence:
    """The mean of what judges say of the same instances; of others, that of the first judge."""
    first = parts[0]
    alike = all(
        np.array_equal(first.image, part.image) and np.array_equal(first.box_px, part.box_px)
        for part in parts
    )
    return mean_evidence(parts) if alike and len(parts) > 1 else first


def joined_evidence(
    reading: Reading, kept: Sequence[Int[Tensor, " M"]], parts: Sequence[Evidence]
) -> Evidence:
    """Evidence of a case that was judged by sets of its instances.

    An instance weighs the mean over the sets, nothing in those that do not show it; its score is
    the highest of those that do, and minus infinity where none does. What it says alone is nan
    where no set shows it.
    """
    count = len(reading.bag.image)
    weights, logits = (
        _spread(count, kept, [getattr(p, n) for p in parts]) for n in ("weights", "logits")
    )
    scores = np.full((count, parts[0].scores.shape[1]), -np.inf, np.float32)
    for rows, part in zip(kept, parts, strict=True):
        scores[rows.numpy()] = np.maximum(scores[rows.numpy()], part.scores)
    bag, names = reading.bag, parts[0].maps
    alone = None if parts[0].alone is None else np.full((count, parts[0].alone.shape[1]), np.nan)
    for rows, part in zip(kept, parts, strict=True):
        if alone is not None and part.alone is not None:
            alone[rows.numpy()] = part.alone  # the same in every set that shows it
    return Evidence(
        weights=weights,
        scores=scores,
        image=bag.image,
        box_px=bag.box_px,
        position_um=bag.position_um,
        plane=bag.plane,
        logits=logits,
        maps={name: _spread(count, kept, [p.maps[name] for p in parts]) for name in names},
        alone=alone,
    )


def _spread(
    count: int, kept: Sequence[Int[Tensor, " M"]], parts: Sequence[Float[np.ndarray, "M ..."]]
) -> Float[np.ndarray, "N ..."]:
    whole = np.zeros((count, *parts[0].shape[1:]), parts[0].dtype)
    for rows, part in zip(kept, parts, strict=True):
        whole[rows.numpy()] += part / len(parts)
    return whole


def _mean(columns: Sequence[Float[np.ndarray, "N _"]]) -> Float[np.ndarray, "N _"]:
    """Judges of one kind number by number; of other branches or logits by their mean."""
    if len({column.shape for column in columns}) > 1:
        columns = [column.mean(1, keepdims=True) for column in columns if column.shape[1]]
    mean: Float[np.ndarray, "N _"] = np.mean(columns, 0)
    return mean


def _nothing(reading: Reading) -> Float[np.ndarray, "N 0"]:
    return np.zeros((len(reading.bag.values), 0), dtype=np.float32)


def _single(model: CaseModel, through: Example, answer: Answer) -> Answer | None:
    """The answer to each instance as a case of its own, where it is one vector."""
    if model.head.remembers or answer.pooled.origin is not None:
        return None
    return each_alone(model, pack([through]))


def _alone(
    model: CaseModel, answer: Answer, single: Answer | None, count: int
) -> Float[np.ndarray, "N C"] | None:
    """Probabilities of each instance: before they are pooled, or as cases of their own."""
    with torch.no_grad():
        told = each_told(model, answer, count)
        if told is None and single is not None:
            told = model.head.probabilities(single)
    return None if told is None else told.double().cpu().numpy()


def _logits(model: CaseModel, answer: Answer, single: Answer) -> Float[np.ndarray, "N L"]:
    """What each instance says of each class, by its weight: attention alone does not tell."""
    pooled = answer.pooled
    with torch.no_grad():
        branches = pooled.embedding.shape[1] if answer.instance_logits is None else 1
        mean = pooled.instances.mean(0).expand(1, branches, -1)
        gap = single.logits - model.head.logits(mean)
        weighed = (pooled.weights.mean(1, keepdim=True) * gap).cpu().numpy()
    logits: Float[np.ndarray, "N L"] = weighed
    return logits


def _maps(
    model: CaseModel, through: Example, answer: Answer, target: int
) -> dict[str, Float[np.ndarray, "N h w"]]:
    """Where within the instances: what speaks for the class, and what was attended to."""
    maps = {}
    if mapped(model.backbone) is not None:
        maps[GRAD_CAM] = grad_cam(model, pack([through]), target)
    if answer.pooled.cell is not None:
        maps[ATTENTION] = position_map(answer.pooled).cpu().numpy()
    return maps


def _evidence(
    answer: Answer,
    bag: CaseBag,
    logits: Float[np.ndarray, "N L"],
    maps: dict[str, Float[np.ndarray, "N h w"]],
) -> Evidence:
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
        plane=bag.plane,
        logits=logits,
        maps=maps,
    )
