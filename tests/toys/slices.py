"""Pixels through a backbone with BatchNorm, the most suspicious slice decides, in stages."""

import numpy as np
import torch
from torch import Tensor, nn

from toys.toy import Toy, patient_of, target
from wholecase.models import Backbone, CaseModel, Embedded
from wholecase.models.heads import Binary
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

    def features(self, pixels: Tensor) -> Tensor:
        return self.layer2(self.layer1(pixels))  # [T, 8, H, W]

    def embedded(self, maps: Tensor, starts: Tensor, scale: Tensor | None = None) -> Embedded:
        return Embedded(maps.amax((2, 3)), starts, scale)


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    count = int(rng.integers(2, 6))
    pixels = rng.normal(0, 0.3, size=(count, 1, 8, 8)).astype(np.float32)
    if label:
        pixels[int(rng.integers(count)), 0, 3:6, 3:6] += 2.0
    return Example(case, patient_of(case), torch.from_numpy(pixels), targets=target(label))


def _model() -> CaseModel:
    return CaseModel(backbone=SliceNet(), pool=MaxLogit(), head=Binary(8, 2, hidden=(8,)))


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
