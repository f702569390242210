"""Views at several magnifications, one of which may be missing."""

import numpy as np
import torch
from torch import nn

from toys.toy import Toy, patient_of, target
from wholecase.models import Aggregator, CaseModel, Embedded, Pooled
from wholecase.models.aggregators import CrossMagnification
from wholecase.models.heads import Binary
from wholecase.models.segments import segment_softmax, segment_sum
from wholecase.training import Example, Schedule

SCALES = (40.0, 100.0, 200.0, 400.0)


class CrossScale(Aggregator):
    """A learnable vector and importance per magnification, without attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width
        self.register_buffer("scales", torch.tensor(SCALES))
        self.place = nn.Embedding(len(SCALES), width)
        self.importance = nn.Parameter(torch.zeros(len(SCALES)))
        self.mix = nn.Linear(width, width)

    @property
    def embedding_width(self) -> int:
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        assert embedded.scale is not None
        which = (embedded.scale[:, None] - self.scales).abs().argmin(1)
        hidden = torch.relu(self.mix(embedded.values + self.place(which)))
        scores = self.importance[which][:, None]
        weights = segment_softmax(scores, embedded.starts)
        mixed = segment_sum(weights * hidden, embedded.starts)[:, None]
        return Pooled(mixed, weights, scores, hidden, embedded.starts, embedded.origin)


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    there = [s for s in SCALES if rng.random() < 0.75] or [400.0]
    values = rng.normal(size=(len(there), 4)).astype(np.float32)
    # what is high at low magnification is low at high magnification: the scale is needed
    for row, scale in zip(values, there, strict=True):
        row[0] += (2 * label - 1) * (3.0 if scale < 150 else -3.0)
    return Example(
        case,
        patient_of(case),
        torch.from_numpy(values),
        scale=torch.tensor(there),
        targets=target(label),
    )


def _model() -> CaseModel:
    pool = CrossMagnification(4, scales=SCALES, inner=8, heads=2)
    return CaseModel(pool=pool, head=Binary(8, 2))


views = Toy(_model, _example, Schedule(epochs=15, rate=1e-2, patience=15))
