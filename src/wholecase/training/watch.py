"""Early stopping: which epoch was best so far, and whether to go on."""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest
from wholecase.evaluation import METRICS
from wholecase.execution import read_ahead
from wholecase.models import Answer, Batch, CaseModel, answered, case_means, dropped_answers
from wholecase.training.batches import Batches
from wholecase.training.schedule import Schedule
from wholecase.training.sets import Sets

LOSS = "loss"
LEAST = 1e-4
"""Change of the loss that counts as betterment where scores are equal."""


@dataclass(frozen=True)
class Verdict:
    """The inner patients' verdict on an epoch."""

    loss: float | None
    """None where there is nobody to ask."""
    score: float
    """What early stopping compares; lower is better."""
    metric: float | None
    """The metric that is watched, or AUROC where that is the loss; None where it is undefined."""
    p_positive: float | None = None
    """Mean probability of the positive class over its own cases; None unless of two classes."""
    p_negative: float | None = None
    """The same over the cases of the other class."""


@dataclass
class Watch:
    """Keeps the best state seen; the only thing of the loop that changes besides the model."""

    patience: int | None
    min_delta: float
    best_score: float = float("inf")
    best_epoch: int = -1
    reference: float = float("inf")
    """The score that has to be undercut by `min_delta` to count as betterment."""
    waited: int = 0
    best_loss: float = float("inf")
    """Of the best epoch, which decides between equal scores."""
    reference_loss: float = float("inf")
    best: dict[str, Tensor] = field(default_factory=dict)

    def see(self, epoch: int, score: float, model: CaseModel, loss: float | None = None) -> None:
        """Remember the state if this epoch is the best; a nan never is.

        Of equal scores the smaller loss is the better: few patients give a score that counts
        decisions few values, and before they are divided at one half it has only one.
        """
        loss = float("inf") if loss is None else loss
        equal = score == self.best_score
        if score < self.best_score or self.best_epoch < 0 or (equal and loss < self.best_loss):
            self.best_score, self.best_epoch, self.best_loss = score, epoch, loss
            self.best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        if score < self.reference - self.min_delta:
            self.reference, self.reference_loss, self.waited = score, loss, 0
        elif equal and loss < self.reference_loss - LEAST:
            self.reference_loss, self.waited = loss, 0
        else:
            self.waited += 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= self.patience

    def facts(self) -> dict[str, Any]:
        """All but the tensors, as JSON values."""
        return {
            "best_score": _finite(self.best_score),
            "best_epoch": self.best_epoch,
            "reference": _finite(self.reference),
            "waited": self.waited,
            "best_loss": _finite(self.best_loss),
            "reference_loss": _finite(self.reference_loss),
        }

    def restore(self, facts: dict[str, Any], best: dict[str, Tensor]) -> None:
        """Go on from what `facts` told."""
        inf = float("inf")
        self.best_score = inf if facts["best_score"] is None else facts["best_score"]
        self.reference = inf if facts["reference"] is None else facts["reference"]
        self.best_epoch, self.waited, self.best = facts["best_epoch"], facts["waited"], best
        losses = (facts.get(f"{name}_loss") for name in ("best", "reference"))
        self.best_loss, self.reference_loss = (inf if loss is None else loss for loss in losses)


def judge(model: CaseModel, batches: Batches, schedule: Schedule, seed: int = 0) -> Verdict:
    """Loss per case, the watched score and a metric, over the inner patients as they are judged.

    With a validation dropout the mean over several passes counts; `seed` draws the same in each
    epoch.

    Raises:
        RecipeError: the recipe watches something that is neither `loss` nor a metric.
    """
    name = metric_told(schedule.watch)
    total = 0.0
    cases: list[str] = []
    truth: list[np.ndarray] = []
    rows: list[np.ndarray] = []
    with read_ahead(batches.asked()) as coming, torch.no_grad():
        shown = _once_past(model, coming)
        for batch, said in _asked(model, shown, schedule.validation_dropout, seed):
            here = batch.to(said[0].logits.device)
            costs = [float(model.cost(answer, here)) for answer in said]
            total += statistics.fmean(costs) * len(batch.cases)
            told = [model.head.probabilities(answer).double() for answer in said]
            rows.append(torch.stack(told).mean(0).cpu().numpy())
            truth.append(batch.targets["label"].argmax(1).numpy())
            cases += batch.cases
    loss = total / len(cases)
    probabilities = case_means(cases, np.concatenate(rows))
    labels = case_means(cases, np.concatenate(truth))
    value = METRICS[name](labels, probabilities, probabilities.argmax(1))
    score = loss if schedule.watch == LOSS else METRICS[name].cost(value)
    return Verdict(loss, score, _finite(value), *_means(labels, probabilities))


def _once_past(model: CaseModel, coming: Iterable[Batch | Sets]) -> Iterator[Batch]:
    """What is judged; an instance goes through the network once, however many sets show it."""
    for asked in coming:
        if isinstance(asked, Batch):
            yield asked
        else:
            yield from (asked.past(model) if asked.repeats else asked).batches()


def _asked(
    model: CaseModel, batches: Iterable[Batch], share: float, seed: int
) -> Iterator[tuple[Batch, tuple[Answer, ...]]]:
    """Each batch with its answer, or with several where dropout stays on."""
    if share:
        yield from dropped_answers(model, batches, share=share, seed=seed)
        return
    for batch, answer in answered(model, batches):
        yield batch, (answer,)


def _means(
    labels: Int[np.ndarray, " M"], probabilities: Float[np.ndarray, "M C"]
) -> tuple[float | None, float | None]:
    """Mean probability of the positive class over positives, and over negatives."""
    if probabilities.shape[1] != 2:
        return None, None
    positive, negative = (
        float(probabilities[labels == target, 1].mean()) if (labels == target).any() else None
        for target in (1, 0)
    )
    return positive, negative


def metric_told(watched: str) -> str:
    """The name of the metric that epochs are told by: what is watched, or AUROC beside the loss.

    Raises:
        RecipeError: the recipe watches something that is neither `loss` nor a metric.
    """
    if watched == LOSS:
        return "auroc"
    if not METRICS.knows(watched):
        known = nearest(watched, [LOSS, *METRICS.names()])
        raise RecipeError(f"nothing to watch is called {watched!r}{known}")
    return watched


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
