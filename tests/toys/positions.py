"""One image becomes 144 instances, which attend to each other."""

import numpy as np
import torch

from toys.toy import Toy, patient_of, target
from wholecase.models import CaseModel
from wholecase.models.aggregators import SelfAttention
from wholecase.models.backbones import SmallCnn
from wholecase.models.heads import Binary
from wholecase.training import Example, Schedule


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    pixels = rng.random((1, 3, 24, 24)).astype(np.float32) * 0.3
    x, y = rng.integers(0, 18, 2)
    pixels[0, label, y : y + 6, x : x + 6] += 0.7
    return Example(case, patient_of(case), torch.from_numpy(pixels), targets=target(label))


def _model() -> CaseModel:
    return CaseModel(
        backbone=SmallCnn(3, channels=(8,)),
        pool=SelfAttention(8, inner=8),
        head=Binary(8, 2, hidden=(8,), l2=1e-4),
    )


positions = Toy(_model, _example, Schedule(epochs=25, rate=1e-2, patience=25))
