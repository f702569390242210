"""Views of one case at three magnifications; most cases lack one, and one is rare."""

import numpy as np
import torch

from toys.toy import patient_of, target
from toys.written import written
from wholecase.training import Example

SCALES = {40.0: 0.7, 100.0: 0.7, 200.0: 0.1}
"""How often a case has the view."""


def _example(rng: np.random.Generator, label: int, case: str) -> Example:
    there = [scale for scale, share in SCALES.items() if rng.random() < share] or [100.0]
    pixels = rng.integers(90, 130, (len(there), 3, 12, 12)).astype(np.uint8)
    for view, scale in zip(pixels, there, strict=True):
        # what is a bright spot at low magnification is a dark one at high magnification
        view[:, 4:8, 4:8] += np.uint8(60 * (label == (scale < 50)))
    return Example(
        case,
        patient_of(case),
        torch.from_numpy(pixels),
        scale=torch.tensor(there),
        targets=target(label),
    )


magnifications = written("magnifications", _example)
