"""What cases are compared by: stored features, or plain numbers of what a network gets."""

from pathlib import Path

import numpy as np
import pytest
import torch

from toys.patch_run import CHANGES
from wholecase.answer.novelty import features_of, read_familiar, write_familiar
from wholecase.assemble import model_of
from wholecase.core.errors import RunError
from wholecase.evaluation import Novelty, learn_familiar, together
from wholecase.models import Batch, CaseModel
from wholecase.recipes import read_recipe


@pytest.fixture(scope="module")
def model() -> CaseModel:
    return model_of(read_recipe("pcam-attention", CHANGES), 3, 2, 1)


def patches(seed: int, count: int, *, blurred: bool = False, light: int = 0) -> Batch:
    """Stained noise; blurred, it keeps its mean and loses its grain."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 30, (count, 48, 48, 1)) * np.array([1.0, 1.2, 0.8])
    if blurred:
        grain = np.repeat(np.repeat(grain[:, ::8, ::8], 8, 1), 8, 2)
    tint = rng.normal(0, 6, (count, 1, 1, 3))
    pixels = np.clip(np.array([200.0, 150.0, 190.0]) + grain + tint + light, 0, 255).astype(
        np.uint8
    )
    names = tuple(map(str, range(count)))
    values = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return Batch(values, torch.arange(count + 1), names, names)


def test_pictures_of_another_grain_or_light_are_unlike(model: CaseModel) -> None:
    train, inner = (features_of(model, patches(*told)) for told in ((1, 80), (2, 60)))
    familiar = learn_familiar(train, inner)
    same = familiar.judge(features_of(model, patches(3, 60)))
    assert sum(one.is_unlike for one in same) <= 4
    for other in (patches(4, 20, blurred=True), patches(5, 20, light=-60)):
        assert all(one.is_unlike for one in familiar.judge(features_of(model, other)))


def test_a_case_is_the_mean_of_its_instances(model: CaseModel) -> None:
    each = patches(6, 6)
    bags = Batch(each.values, torch.tensor([0, 2, 6]), ("a", "b"), ("a", "b"))
    alone = features_of(model, each)
    expected = np.stack([alone[:2].mean(0), alone[2:].mean(0)])
    np.testing.assert_allclose(features_of(model, bags), expected, rtol=1e-5, atol=1e-6)


def test_most_models_mark_a_case() -> None:
    told = [Novelty(float(i), i / 4, is_unlike) for i, is_unlike in enumerate((False, True, True))]
    assert together(told) == Novelty(1.0, 0.25, is_unlike=True)
    assert not together(told[:2]).is_unlike


def test_a_damaged_summary_is_told_and_a_missing_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "familiar.safetensors"
    assert read_familiar(path) is None
    write_familiar(path, learn_familiar(np.eye(4), np.eye(4)))
    there = read_familiar(path)
    assert there is not None
    assert len(there.mean) == 4
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(RunError, match="is damaged"):
        read_familiar(path)
