"""A model's answers, case by case, without learning anything."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import Float

from wholecase.models.batch import Answer, Batch
from wholecase.models.case_model import CaseModel, device_of


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


def remember(model: CaseModel, batches: Iterable[Batch]) -> None:
    """Show the training cases to a head that remembers; nothing happens for the others."""
    if model.head.remembers:
        model.head.remember(answers(model, batches))


def predict(model: CaseModel, batches: Iterable[Batch]) -> Float[np.ndarray, "M C"]:
    """Probabilities for all cases of the batches, in their order; on the CPU."""
    rows: list[np.ndarray] = []
    for answer in answers(model, batches):
        with torch.no_grad():
            rows.append(model.head.probabilities(answer).double().cpu().numpy())
    return np.concatenate(rows)
