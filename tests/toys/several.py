"""Several images per case, one instance of one image speaks; the head is CLAM's own."""

import numpy as np
import torch

from toys.toy import Toy, patient_of, target
from wholecase.models import HEADS, CaseModel
from wholecase.models.aggregators import GatedAttention
from wholecase.models.poolings import MaxLogit
from wholecase.training import Example, Schedule

WIDTH = 6


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    sizes = rng.integers(1, 7, int(rng.integers(1, 5)))
    values = rng.normal(size=(sizes.sum(), WIDTH)).astype(np.float32)
    values[int(rng.integers(len(values))), 1] += 6.0 * label
    return Example(
        case,
        patient_of(case),
        torch.from_numpy(values),
        targets=target(label),
        image=torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes)),
    )


def _model() -> CaseModel:
    pool = GatedAttention(WIDTH, size="small", heads=4, dropout=0.1)
    head = HEADS["clam"](pool.embedding_width, 2, output="sigmoid", k_sample=2, dropout=0.0)
    return CaseModel(pool=pool, head=head, images=MaxLogit())


several = Toy(_model, _example, Schedule(epochs=12, rate=2e-3, patience=12))
