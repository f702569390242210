"""Evidence for tests."""

from collections.abc import Callable

import numpy as np
import pytest

from wholecase.explain import Evidence


@pytest.fixture
def evidence_of() -> Callable[..., Evidence]:
    """Evidence of one image from its boxes, with random weights that sum to one."""

    def make(box_px: np.ndarray, seed: int = 0) -> Evidence:
        rng = np.random.default_rng(seed)
        count = len(box_px)
        weights = rng.dirichlet(np.ones(count))[:, None]
        return Evidence(
            weights=weights,
            scores=np.log(weights),
            image=np.zeros(count, np.int64),
            box_px=np.asarray(box_px, np.int64),
            position_um=np.zeros((count, 3), np.float32),
            logits=rng.normal(size=(count, 1)),
        )

    return make
