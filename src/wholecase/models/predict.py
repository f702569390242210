"""A model's answers, case by case, without learning anything."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from wholecase.models.backbones import MAPS, WHOLE, mapped
from wholecase.models.batch import Answer, Batch
from wholecase.models.case_model import CaseModel, device_of
from wholecase.models.deciders import is_each_alone
from wholecase.models.poolings import Pooling


def answers(model: CaseModel, batches: Iterable[Batch]) -> Iterator[Answer]:
    """One answer per batch in evaluation mode; the model's mode is put back afterwards."""
    for _, answer in answered(model, batches):
        yield answer


def answered(model: CaseModel, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Answer]]:
    """Each batch as it came, with its answer: none is held longer than it is looked at."""
    was_training, device = model.training, device_of(model)
    model.eval()
    try:
        for batch in batches:
            # no_grad, not inference_mode: stored embeddings may meet a gradient later
            with torch.no_grad():
                answer = model(batch.to(device))
            yield batch, answer
    finally:
        model.train(was_training)


@contextmanager
def answers_only(model: CaseModel) -> Iterator[torch.device]:
    """Within, the model is in evaluation mode and keeps no graph; each part's mode is put back."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield device_of(model)
    finally:
        for module, was in modes.items():
            module.training = was


def past_part(model: CaseModel, batch: Batch, part: str) -> Batch:
    """The batch `after` a part of the model's network: `CaseModel.passed` in evaluation mode.

    Raises:
        ValueError: there is nothing that could be kept with each instance.
    """
    with answers_only(model) as device:
        return model.passed(batch.to(device), part)


def past_network(model: CaseModel, batch: Batch, *, maps: bool = False) -> Batch:
    """The batch past the model's whole network: what is asked of it often.

    As it is where the model takes stored features, where an instance becomes no grid of vectors,
    and where it comes out otherwise in other company.

    Args:
        model: that is asked.
        batch: some cases.
        maps: stop at the network's maps, where it has some.
    """
    if model.backbone is None or batch.after in {WHOLE, MAPS}:
        return batch
    with answers_only(model):
        if not is_each_alone(model.backbone):
            return batch
    part = MAPS if maps and mapped(model.backbone) is not None else WHOLE
    try:
        return past_part(model, batch, part).to("cpu")
    except ValueError:
        return batch


def each_alone(model: CaseModel, batch: Batch) -> Answer:
    """What each instance says as a case of its own: `CaseModel.alone` in evaluation mode."""
    with answers_only(model) as device:
        return model.alone(batch.to(device))


def remember(model: CaseModel, batches: Iterable[Batch]) -> None:
    """Show the training cases to a head that remembers; nothing happens for the others."""
    if model.head.remembers:
        model.head.remember(answers(model, batches))


def predict(model: CaseModel, batches: Iterable[Batch]) -> Float[np.ndarray, "M C"]:
    """Probabilities for all cases of the batches, in their order; the mean where one comes again.

    A case comes several times where it is judged by several sets of its instances.
    """
    cases: list[str] = []
    rows: list[np.ndarray] = []
    for answer in answers(model, batches):
        with torch.no_grad():
            rows.append(model.head.probabilities(answer).double().cpu().numpy())
        cases += answer.cases
    return case_means(cases, np.concatenate(rows))


def each_told(model: CaseModel, answer: Answer, count: int) -> Float[Tensor, "N C"] | None:
    """Probabilities of each of a case's `count` instances before they are pooled.

    What a model sees of one alone is what it would say were this all of the case; where slices know
    their neighbours, these are heard, too. None where instances are not decided one by one.

    Args:
        model: that answered.
        answer: about one case.
        count: instances; each may be several vectors, which are pooled as those of a case are.
    """
    each = answer.instance_logits
    if each is None or not isinstance(model.pool, Pooling) or model.head.remembers:
        return None
    if (origin := answer.pooled.origin) is not None:
        bounds = torch.searchsorted(origin, torch.arange(count + 1, device=origin.device))
        each = model.pool(each, bounds).logits
    told: Tensor = model.head.probabilities(replace(answer, logits=each))
    return told


def case_means(
    cases: Sequence[str], rows: Shaped[np.ndarray, "N ..."]
) -> Shaped[np.ndarray, "M ..."]:
    """One row per case, in order of first appearance: the mean of all that are its own."""
    first = list(dict.fromkeys(cases))
    if len(first) == len(cases):
        return rows
    place = {case: i for i, case in enumerate(first)}
    index = np.array([place[case] for case in cases])
    sums = np.zeros((len(first), *rows.shape[1:]), rows.dtype)
    np.add.at(sums, index, rows)
    return (sums.T / np.bincount(index)).T.astype(rows.dtype)
