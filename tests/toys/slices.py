"""Slices in HU through a window and BatchNorm; the most suspicious one decides, in stages."""

import numpy as np
import torch
from torch import nn

from toys.toy import Toy, patient_of, target
from wholecase.core.kinds import CT
from wholecase.models import Backbone, Batch, CaseModel, Embedded
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.models.poolings import MaxLogit
from wholecase.training import Example, Schedule, Stage


class SliceNet(Backbone):
    """Two convolutions with BatchNorm, global maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())

    @property
    def width(self) -> int:
        return 8

    def forward(self, batch: Batch) -> Embedded:
        maps = self.layer2(self.layer1(batch.values))  # [T, 8, H, W]
        return Embedded(maps.amax((2, 3)), batch.starts, batch.scale)


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    count = int(rng.integers(2, 6))
    pixels = rng.normal(35, 6, size=(count, 1, 8, 8)).astype(np.int16)
    if label:
        pixels[int(rng.integers(count)), 0, 3:6, 3:6] += 40
    return Example(case, patient_of(case), torch.from_numpy(pixels), targets=target(label))


def _model() -> CaseModel:
    seen = Window(CT, centre=40, width=80, zscore="slice")
    head = Binary(8, 2, hidden=(8,))
    return CaseModel(backbone=SliceNet(), input=seen, pool=MaxLogit(), head=head)


slices = Toy(
    _model,
    _example,
    Schedule(
        epochs=16,
        optimizer="adamw",
        decay={"backbone": 1e-4, "head": 1e-3},
        clip_norm=1.0,
        patience=16,
        stages=(
            Stage(0, {"head": 2e-2}),
            Stage(3, {"backbone.layer2": 1e-2, "head": 2e-2}),
        ),
    ),
)
