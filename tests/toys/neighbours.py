"""Triplets in training, nearest neighbours in judging, a patient never its own neighbour."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from toys.toy import Toy, patient_of, target
from wholecase.models import Answer, Batch, CaseModel, Head
from wholecase.models.aggregators import MeanPool
from wholecase.training import Classes, Example, Schedule


def code(patient: str) -> int:
    """A patient as a number that fits a tensor."""
    return int.from_bytes(hashlib.sha256(patient.encode()).digest()[:7], "big")


class Neighbours(Head):
    """An adapter taught by triplets; k nearest remembered cases of other patients vote."""

    remembers = True
    memory: Tensor
    memory_label: Tensor
    memory_patient: Tensor

    def __init__(self, width: int, *, k: int = 5) -> None:
        super().__init__()
        self._k = k
        self.adapter = nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 4))
        self.register_buffer("memory", torch.zeros(0, 4))
        self.register_buffer("memory_label", torch.zeros(0, 2))
        self.register_buffer("memory_patient", torch.zeros(0, dtype=torch.long))

    @property
    def logit_width(self) -> int:
        return 4

    def logits(self, embedding: Tensor) -> Tensor:
        return F.normalize(self.adapter(embedding[:, 0]), dim=1)

    def loss(self, answer: Answer, batch: Batch) -> Tensor:
        label = batch.targets["label"].argmax(1)
        distance = torch.cdist(answer.logits, answer.logits)
        same = label[:, None] == label[None]
        other = ~torch.eye(len(label), dtype=torch.bool)
        worst = torch.where(same & other, distance, torch.full_like(distance, -1.0)).amax(1)
        best = torch.where(~same, distance, torch.full_like(distance, 9.0)).amin(1)
        valid = (worst >= 0) & (best < 9)
        return F.relu(worst - best + 0.5)[valid].sum() / valid.sum().clamp(min=1)

    def remember(self, answers: Iterable[Answer]) -> None:
        seen = list(answers)
        self.memory = torch.cat([a.logits for a in seen])
        self.memory_label = torch.cat([a.targets["label"] for a in seen])
        self.memory_patient = torch.tensor([code(p) for a in seen for p in a.patients])

    def candidates(self) -> Mapping[str, tuple[int, ...]]:
        return {"k": (1, 3, 5, 7)}

    def adopt(self, chosen: Mapping[str, int]) -> None:
        super().adopt({name: value for name, value in chosen.items() if name != "k"})
        self._k = chosen.get("k", self._k)

    def probabilities(self, answer: Answer) -> Tensor:
        distance = torch.cdist(answer.logits, self.memory)
        mine = torch.tensor([code(p) for p in answer.patients])
        own = mine[:, None] == self.memory_patient[None]
        distance = torch.where(own, torch.full_like(distance, torch.inf), distance)
        near, which = distance.topk(self._k, largest=False)
        vote = (1 / (near + 1e-3))[..., None] * self.memory_label[which]
        return vote.sum(1) / vote.sum((1, 2), keepdim=True)[:, 0]


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    values = rng.normal(size=(1, 5)).astype(np.float32)
    values[0, 0] = (2.0 if label else 0.7) * rng.choice([-1, 1]) + rng.normal() * 0.2
    return Example(case, patient_of(case), torch.from_numpy(values), targets=target(label))


def _model() -> CaseModel:
    return CaseModel(pool=MeanPool(5), head=Neighbours(5))


neighbours = Toy(
    _model,
    _example,
    Schedule(epochs=30, optimizer="adamw", rate=1e-2, patience=30, watch="auroc"),
    batches=lambda examples, seed: Classes(examples, seed, cases=6),
)
