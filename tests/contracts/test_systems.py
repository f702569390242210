"""The five systems, and other networks, fit the same types and are taught by the same loop."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from toys import TOYS, InMemory, Toy
from wholecase.evaluation import METRICS
from wholecase.models import CaseModel, answers, load_model, predict, remember, save_model
from wholecase.training import Example, Keep, fit, pack


@pytest.fixture(params=TOYS, scope="module")
def toy(request: pytest.FixtureRequest) -> Toy:
    return TOYS[request.param]


def fresh(toy: Toy, seed: int = 0) -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return toy.model()


def ready(toy: Toy) -> CaseModel:
    """A model that may be asked: one that remembers has been shown its cases."""
    model = fresh(toy).eval()
    remember(model, toy.batches(toy.examples(7, 12), 0).once())
    return model


def probabilities(model: CaseModel, examples: list[Example]) -> np.ndarray:
    return predict(model, [pack(examples)])


def test_rows_are_probabilities(toy: Toy) -> None:
    rows = probabilities(ready(toy), list(toy.examples(1, 6)))
    assert rows.shape == (6, 2)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)


def test_cases_of_a_batch_do_not_touch(toy: Toy) -> None:
    model, examples = ready(toy), list(toy.examples(1, 6))
    together = probabilities(model, examples)
    alone = np.concatenate([probabilities(model, [e]) for e in examples])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_order_of_instances_changes_nothing(toy: Toy) -> None:
    model, examples = ready(toy), list(toy.examples(1, 6))
    turned = [e.only(torch.arange(len(e.values)).flip(0)) for e in examples]
    np.testing.assert_allclose(
        probabilities(model, examples), probabilities(model, turned), atol=1e-5
    )


def test_weights_sum_to_one_in_every_bag(toy: Toy) -> None:
    batch = pack(list(toy.examples(1, 6)))
    (answer,) = answers(ready(toy), [batch])
    starts = answer.pooled.starts.tolist()
    for begin, end in pairwise(starts):
        bag = answer.pooled.weights[begin:end]
        torch.testing.assert_close(bag.sum(0), torch.ones(bag.shape[1]))
        assert (bag >= 0).all()


def test_every_vector_says_where_it_came_from(toy: Toy) -> None:
    batch = pack(list(toy.examples(1, 6)))
    (answer,) = answers(ready(toy), [batch])
    origin = answer.pooled.origin
    if origin is None:
        origin = torch.arange(len(batch.values))
    owner = torch.searchsorted(batch.starts, origin, right=True) - 1
    expected = torch.repeat_interleave(torch.arange(6), answer.pooled.starts.diff())
    assert owner.tolist() == expected.tolist()


def test_a_bag_of_one_trains_and_answers(toy: Toy) -> None:
    one = [e.only(torch.tensor([0])) for e in toy.examples(1, 4)]
    model = ready(toy).train()
    loss = model.loss(pack(one))
    loss.backward()
    assert torch.isfinite(loss)
    assert np.isfinite(probabilities(model, one)).all()


def test_saved_and_loaded_is_the_same(toy: Toy, tmp_path) -> None:
    model, examples = ready(toy), list(toy.examples(1, 6))
    save_model(tmp_path / "model.safetensors", model, {"epoch": 3})
    other = fresh(toy, seed=5)
    assert load_model(tmp_path / "model.safetensors", other) == {"epoch": 3}
    np.testing.assert_array_equal(probabilities(model, examples), probabilities(other, examples))


def test_one_loop_teaches_it(toy: Toy) -> None:
    train, valid, test = (toy.examples(seed) for seed in (1, 2, 3))
    model = fresh(toy)
    before = auroc(model, train, test, toy)
    fit(model, (toy.batches(train, 0), toy.batches(valid, 0)), toy.schedule, seed=0)
    after = auroc(model, train, test, toy)
    assert after > 0.9
    assert after > before or before > 0.99


def auroc(model: CaseModel, train: InMemory, test: InMemory, toy: Toy) -> float:
    remember(model, toy.batches(train, 0).once())
    rows = predict(model, toy.batches(test, 0).once())
    truth = np.array([int(e.targets["label"].argmax()) for e in test])
    return METRICS["auroc"](truth, rows, rows.argmax(1))


@pytest.mark.parametrize("stop_after", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_a_stopped_training_goes_on_bit_for_bit(toy: Toy, tmp_path, stop_after: int) -> None:
    sides = [toy.batches(toy.examples(seed, 24), 0) for seed in (1, 2)]

    def train(folder, told=None) -> tuple[CaseModel, object]:
        model = fresh(toy)
        keep = Keep(tmp_path / folder / "last.safetensors", "key")
        schedule = toy.schedule
        return model, fit(model, (sides[0], sides[1]), schedule, seed=4, keep=keep, on_epoch=told)

    def stop(epoch) -> None:
        if epoch.number == stop_after:
            raise KeyboardInterrupt

    whole, history = train("whole")
    with pytest.raises(KeyboardInterrupt):
        train("stopped", told=stop)
    resumed, again = train("stopped")
    assert again == history
    for (name, a), (_, b) in zip(
        whole.state_dict().items(), resumed.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name


def test_a_patient_is_never_its_own_neighbour() -> None:
    toy = TOYS["metric-ensemble"]
    examples = list(toy.examples(1, 24))
    model = fresh(toy)
    remember(model, [pack(examples)])
    # each case is in the memory with its own label; with itself as neighbour it would win the vote
    flipped = model.head.memory_label.clone()
    own = torch.tensor([e.patient == examples[0].patient for e in examples])
    model.head.memory_label = torch.where(own[:, None], 1 - flipped, flipped)
    changed = probabilities(model, examples[:1])
    model.head.memory_label = flipped
    np.testing.assert_array_equal(changed, probabilities(model, examples[:1]))


def test_frozen_batchnorm_keeps_its_statistics() -> None:
    toy = TOYS["brain-mets-ct"]
    model = fresh(toy)
    first = model.backbone.layer1[1].running_mean.clone()
    train, valid = toy.examples(1), toy.examples(2)
    fit(model, (toy.batches(train, 0), toy.batches(valid, 0)), toy.schedule, seed=0)
    assert torch.equal(model.backbone.layer1[1].running_mean, first)
    weight = fresh(toy).backbone.layer1[0].weight
    assert torch.equal(model.backbone.layer1[0].weight, weight), "a part no stage names is frozen"
    assert not torch.equal(model.backbone.layer2[0].weight, fresh(toy).backbone.layer2[0].weight)
