"""Deleting what counts lowers the answer; deleting what does not, does not."""

import numpy as np
import pytest
import torch

from wholecase.answer import SHARES, faithful, faithfulness
from wholecase.core.kinds import CT
from wholecase.models import AGGREGATORS, HEADS, CaseModel, answers
from wholecase.models.backbones import SmallCnn
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.models.poolings import MaxLogit
from wholecase.training import Example, pack


@pytest.fixture
def model() -> CaseModel:
    """The mean of one feature decides: each instance counts by its value."""
    head = HEADS["binary"](1, 2)
    with torch.no_grad():
        head.judge.last.weight.fill_(4.0)
        head.judge.last.bias.fill_(0.0)
    return CaseModel(pool=AGGREGATORS["mean"](1), head=head).eval()


def example(values: np.ndarray) -> Example:
    return Example("a", "a", torch.from_numpy(values[:, None].astype(np.float32)))


def test_faithful_weights_have_a_gap_and_random_ones_have_none(model: CaseModel) -> None:
    rng = np.random.default_rng(0)
    values = np.zeros(100)
    values[:10] = 10.0
    told = faithfulness(model, example(values), values, 1, rng)
    assert told is not None
    expected = 1 / (1 + np.exp(-4 * np.array([1.0, 5 * 10 / 95, 0, 0, 0, 0])))
    np.testing.assert_allclose(told.top, expected, atol=1e-6)
    assert told.area > 0.4
    chance = faithfulness(model, example(values), rng.random(100), 1, rng)
    assert chance is not None
    assert abs(chance.area) < 0.1


def test_weights_that_point_away_have_a_negative_gap(model: CaseModel) -> None:
    values = np.zeros(40)
    values[:4] = 3.0
    told = faithfulness(model, example(values), -values, 1, np.random.default_rng(0))
    assert told is not None
    assert told.area < 0
    assert (np.diff(told.top) > 0).all()


def test_the_same_seed_deletes_the_same_and_small_bags_say_nothing(model: CaseModel) -> None:
    values = np.random.default_rng(3).random(30)
    one, two = (
        faithfulness(model, example(values), values, 1, np.random.default_rng(7)) for _ in range(2)
    )
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.random, two.random)
    assert len(one.top) == len(SHARES)
    few = values[:19]
    assert faithfulness(model, example(few), few, 1, np.random.default_rng(7)) is None


def test_a_network_sees_the_instances_once() -> None:
    """Deletions are of vectors: the curves are those of asking anew with each part."""
    torch.manual_seed(0)
    backbone = SmallCnn(1, channels=(4,))
    seen = Window(CT, centre=40, width=80)
    model = CaseModel(pool=MaxLogit(), head=Binary(4, 2), backbone=backbone, input=seen).eval()
    pixels = torch.randint(0, 80, (24, 1, 8, 8), dtype=torch.int16)
    case = Example("c", "p", pixels)
    ran: list[int] = []
    backbone.blocks[0].register_forward_hook(lambda *a: ran.append(1))
    weights = np.arange(24.0)
    told = faithfulness(model, case, weights, 1, np.random.default_rng(0))
    assert told is not None
    assert len(ran) == 1
    for share, value in zip((0.0, 0.5), (told.top[0], told.top[-1]), strict=True):
        kept = torch.arange(24 - round(24 * share))
        (answer,) = answers(model, [pack([case.only(kept)])])
        expected = float(model.head.probabilities(answer)[0, 1])
        assert value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("head", ["clam", "binary"])
def test_parts_that_are_asked_together_say_what_each_says_alone(head, monkeypatch) -> None:
    torch.manual_seed(0)
    pool = AGGREGATORS["gated_attention"](16, size="tiny", heads=2)
    model = CaseModel(pool=pool, head=HEADS[head](64, 2)).eval()
    case = Example("c", "p", torch.randn(50, 16))
    sizes: list[int] = []
    model.register_forward_hook(lambda _, given, __: sizes.append(len(given[0].cases)))

    def told(most: int) -> np.ndarray:
        monkeypatch.setattr(faithful, "TOGETHER", most)
        sizes.clear()
        said = faithfulness(model, case, np.arange(50.0), 1, np.random.default_rng(0))
        return np.concatenate([said.top, said.random])

    alone = told(0)
    assert sizes == [1] * 27
    np.testing.assert_allclose(told(50 * 16 * 4), alone, atol=1e-6)
    assert len(sizes) < 9
    np.testing.assert_allclose(told(2**22), alone, atol=1e-6)
    assert sizes == [27]
