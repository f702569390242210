"""Triplets in training, nearest neighbours in judging, a patient never its own neighbour."""

import numpy as np
import torch

from toys.toy import Toy, patient_of, target
from wholecase.models import CaseModel
from wholecase.models.aggregators import MeanPool
from wholecase.models.heads import Neighbours
from wholecase.training import Classes, Example, Schedule


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    values = rng.normal(size=(1, 5)).astype(np.float32)
    values[0, 0] = (2.0 if label else 0.7) * rng.choice([-1, 1]) + rng.normal() * 0.2
    return Example(case, patient_of(case), torch.from_numpy(values), targets=target(label))


def _model() -> CaseModel:
    return CaseModel(pool=MeanPool(5), head=Neighbours(5, 2, hidden=[16], size=4))


neighbours = Toy(
    _model,
    _example,
    Schedule(epochs=30, optimizer="adamw", rate=1e-2, patience=30, watch="auroc"),
    batches=lambda examples, seed: Classes(examples, seed, cases=6),
)
