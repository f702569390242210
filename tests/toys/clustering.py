"""Stored features, attention, and a head with a second loss on instances."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from toys.toy import Toy, patient_of, target
from wholecase.models import Answer, Batch, CaseModel, Head
from wholecase.models.aggregators import GatedAttention
from wholecase.models.heads.layers import Judge
from wholecase.training import Example, Schedule

WIDTH = 6


class Clustering(Head):
    """Bag loss and a loss on the most and least attended instances, k clipped to half the bag."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.judge = Judge(width, 1, hidden=(), dropout=0.0)
        self.instance = nn.ModuleList(nn.Linear(width, 2) for _ in range(classes))

    @property
    def logit_width(self) -> int:
        return 1

    def logits(self, embedding: Tensor) -> Tensor:
        return self.judge(embedding)

    def loss(self, answer: Answer, batch: Batch) -> Tensor:
        label = batch.targets["label"].argmax(1)
        bag = F.binary_cross_entropy_with_logits(answer.logits[:, 0], label.float())
        parts = [
            self._instance_loss(answer, b, int(label[b]))
            for b in range(len(label))
            if int(batch.starts[b + 1] - batch.starts[b]) >= 2
        ]
        return 0.7 * bag + 0.3 * torch.stack(parts).mean() if parts else bag

    def _instance_loss(self, answer: Answer, b: int, label: int) -> Tensor:
        begin, end = answer.pooled.starts[b : b + 2].tolist()
        order = answer.pooled.scores[begin:end, 0].argsort(descending=True)
        k = min(8, (end - begin) // 2)
        chosen = answer.pooled.instances[begin:end][torch.cat([order[:k], order[-k:]])]
        wanted = torch.cat([torch.ones(k), torch.zeros(k)]).long()
        return F.cross_entropy(self.instance[label](chosen), wanted)

    def probabilities(self, answer: Answer) -> Tensor:
        p = torch.sigmoid(answer.logits[:, 0])
        return torch.stack([1 - p, p], 1)


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    count = int(rng.integers(1, 18))
    values = rng.normal(size=(count, WIDTH)).astype(np.float32)
    values[0, 1] += 6.0 * label
    rng.shuffle(values)
    return Example(case, patient_of(case), torch.from_numpy(values), targets=target(label))


def _model() -> CaseModel:
    pool = GatedAttention(WIDTH, size="small", heads=4, dropout=0.1)
    return CaseModel(pool=pool, head=Clustering(pool.embedding_width, 2))


clustering = Toy(_model, _example, Schedule(epochs=12, rate=2e-3, patience=6))
