"""One image becomes 144 instances, which attend to each other."""

import numpy as np
import torch
from torch import nn

from toys.toy import Toy, patient_of, target
from wholecase.models import Aggregator, Backbone, Batch, CaseModel, Embedded, Pooled
from wholecase.models.heads import Binary
from wholecase.training import Example, Schedule


class Cells(Backbone):
    """24 x 24 pixels -> 12 x 12 positions of 8 numbers; says which image each came from."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))

    @property
    def width(self) -> int:
        return 8

    def forward(self, batch: Batch) -> Embedded:
        maps = self.convolution(batch.values)  # [T, 8, 12, 12]
        cells = maps.shape[2] * maps.shape[3]
        values = maps.flatten(2).transpose(1, 2).flatten(0, 1)  # [T * 144, 8]
        origin = torch.arange(len(maps), device=maps.device).repeat_interleave(cells)
        return Embedded(values, batch.starts * cells, origin=origin)


class SelfAttention(Aggregator):
    """Scaled dot-product attention within a bag, then the mean; weights are attention received."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width
        self.ask, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    @property
    def embedding_width(self) -> int:
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        mixed, received = [], []
        for begin, end in zip(embedded.starts[:-1], embedded.starts[1:], strict=True):
            bag = embedded.values[begin:end]
            affinity = self.ask(bag) @ self.key(bag).T / self._width**0.5
            attention = affinity.softmax(1)  # [N, N]
            mixed.append((attention @ self.value(bag)).mean(0))
            received.append(attention.mean(0))
        weights = torch.cat(received)[:, None]
        return Pooled(
            embedding=torch.stack(mixed)[:, None],
            weights=weights,
            scores=weights.log(),
            instances=embedded.values,
            starts=embedded.starts,
            origin=embedded.origin,
        )


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    pixels = rng.random((1, 3, 24, 24)).astype(np.float32) * 0.3
    x, y = rng.integers(0, 18, 2)
    pixels[0, label, y : y + 6, x : x + 6] += 0.7
    return Example(case, patient_of(case), torch.from_numpy(pixels), targets=target(label))


def _model() -> CaseModel:
    return CaseModel(backbone=Cells(), pool=SelfAttention(8), head=Binary(8, 2, hidden=(8,)))


positions = Toy(_model, _example, Schedule(epochs=25, rate=1e-2, patience=25))
