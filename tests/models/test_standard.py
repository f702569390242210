"""Network input by the statistics of those that teach."""

import numpy as np
import torch

from wholecase.core.kinds import CT
from wholecase.models import Batch, CaseModel, load_model, save_model
from wholecase.models.backbones import SmallCnn
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.models.poolings import MaxLogit


def batch(seed: int, cases: int = 3) -> Batch:
    rng = np.random.default_rng(seed)
    pixels = torch.from_numpy(rng.integers(-20, 120, (2 * cases, 1, 8, 8)).astype(np.int16))
    names = tuple(f"{seed}-{i}" for i in range(cases))
    return Batch(pixels, torch.arange(cases + 1) * 2, names, names)


def model() -> CaseModel:
    seen = Window(CT, windows=[[40, 80], [80, 200]], zscore="patients")
    backbone = SmallCnn(2, channels=(4,))
    return CaseModel(pool=MaxLogit(), head=Binary(4, 2), backbone=backbone, input=seen)


def test_pixels_of_the_training_patients_have_mean_0_and_deviation_1(tmp_path) -> None:
    made, taught = model(), [batch(1), batch(2, 5)]
    made.begin(taught)
    seen = torch.cat([made.seen(one).values for one in taught])
    torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    deviation = seen.std((0, 2, 3), correction=0)
    torch.testing.assert_close(deviation, torch.ones(2), atol=1e-5, rtol=0)

    path, other = tmp_path / "model.safetensors", model()
    save_model(path, made, {})
    load_model(path, other)
    one = batch(3)
    torch.testing.assert_close(other.seen(one).values, made.seen(one).values)
    # an instance gets what it gets, whoever is with it
    torch.testing.assert_close(
        made.seen(one.apart(torch.tensor([4]))).values[0], made.seen(one).values[4]
    )


def test_a_window_that_is_all_black_stays_finite() -> None:
    made = model()
    dark = Batch(
        torch.full((1, 1, 8, 8), -900, dtype=torch.int16), torch.tensor([0, 1]), ("a",), ("a",)
    )
    made.begin([dark])
    assert torch.isfinite(made.seen(dark).values).all()
