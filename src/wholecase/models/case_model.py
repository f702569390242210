"""The model of every recipe: backbone? + (aggregator then head | head then pooling)."""

from typing import final

import torch
from torch import Tensor, nn

from wholecase.models.aggregators import Aggregator
from wholecase.models.backbones import Backbone
from wholecase.models.batch import Answer, Batch, Embedded, Pooled
from wholecase.models.heads import Head
from wholecase.models.poolings import Pooling
from wholecase.models.segments import segment_sum


@final
class CaseModel(nn.Module):
    """One answer per case.

    Args:
        pool: an `Aggregator` (aggregate, then decide) or a `Pooling` (decide each, then pool).
        head: decides.
        backbone: encodes pixels; None where the bags hold stored features.
        covariates: how many numbers per case enter as a linear term on the case's logits.
    """

    def __init__(
        self,
        *,
        pool: Aggregator | Pooling,
        head: Head,
        backbone: Backbone | None = None,
        covariates: int = 0,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = pool
        self.head = head
        self.covariates = (
            nn.Linear(covariates, head.logit_width, bias=False) if covariates else None
        )

    def forward(self, batch: Batch) -> Answer:
        """Answer for each case of the batch."""
        embedded = Embedded.of(batch) if self.backbone is None else self.backbone(batch)
        if isinstance(self.pool, Aggregator):
            pooled: Pooled = self.pool(embedded)
            logits, each = self.head.logits(pooled.embedding), None
        else:
            each = self.head.logits(embedded.values[:, None])  # [T, L]
            decided = self.pool(each, embedded.starts)
            logits, pooled = decided.logits, _pooled(embedded, decided.weights, each)
        if self.covariates is not None:
            logits = logits + self.covariates(batch.covariates)
        return Answer(
            pooled=pooled,
            logits=logits,
            cases=batch.cases,
            patients=batch.patients,
            targets=batch.targets,
            instance_logits=each,
        )

    def loss(self, batch: Batch) -> Tensor:
        """What training lowers on this batch."""
        return self.head.loss(self(batch), batch)


def _pooled(embedded: Embedded, weights: Tensor, scores: Tensor) -> Pooled:
    mixed = segment_sum(weights[..., None] * embedded.values[:, None], embedded.starts)
    return Pooled(
        embedding=mixed,  # [B, L, D]
        weights=weights,
        scores=scores,
        instances=embedded.values,
        starts=embedded.starts,
        origin=embedded.origin,
    )


def trainable(module: nn.Module) -> int:
    """How many of a module's parameters learn."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's first parameter lies; the CPU for one without parameters."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))
