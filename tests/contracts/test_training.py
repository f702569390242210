"""What is learnt over time, each a recipe through the one loop."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from toys import InMemory
from toys.toy import target
from toys.views import SCALES, CrossScale
from wholecase.assemble import batches_of, describe, model_of, schedule_of, views_of
from wholecase.core.errors import RecipeError
from wholecase.evaluation import METRICS
from wholecase.models import (
    AGGREGATORS,
    Batch,
    CaseModel,
    load_state,
    load_tensors,
    predict,
    remember,
)
from wholecase.recipes import Recipe, read_recipe
from wholecase.training import Example, Keep, fit, judged_views, pack

WIDTH = 6


@pytest.fixture(autouse=True)
def toy_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that a recipe of a toy names."""
    monkeypatch.setitem(AGGREGATORS, "cross_scale", CrossScale)  # type: ignore[type-abstract]


def recipe(name: str, *overrides: str) -> Recipe:
    return read_recipe(str(Path(__file__).parent / "recipes" / f"{name}.yaml"), overrides)


def vectors(seed: int, count: int = 32, most: int = 1, width: int = WIDTH) -> InMemory:
    """Bags of vectors; the first number of each tells the class. Two cases a patient."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        values = rng.normal(size=(int(rng.integers(1, most + 1)), width)).astype(np.float32)
        values[:, 0] += 3.0 * (i % 2)
        case, patient = f"{seed}-{i}", f"{seed}-p{i // 2}"
        made.append(Example(case, patient, torch.from_numpy(values), targets=target(i % 2)))
    return InMemory(made)


def train(
    read: Recipe, learn: InMemory, valid: InMemory, width: int = WIDTH, **options: Any
) -> CaseModel:
    model = model_of(read, width, 2, 1)
    sides = batches_of(read, learn, 1), batches_of(read, valid, 1)
    fit(model, sides, schedule_of(read), seed=3, **options)
    return model


def auroc(rows: np.ndarray, examples: InMemory) -> float:
    truth = np.array([int(e.targets["label"].argmax()) for e in examples])
    return METRICS["auroc"](truth, rows, rows.argmax(1))


@pytest.mark.parametrize("name", ["mixup", "two_heads", "views", "triplets", "wakes"])
def test_each_recipe_is_told_in_full(name: str) -> None:
    # the toy that looks at magnifications is shown none here
    plain = ["model.aggregator=mean"] if name == "views" else []
    told = "\n".join(describe(recipe(name, *plain), WIDTH))
    assert "train.schedule.name" in told
    assert "TRAINABLE PARAMETERS" in told


def test_mixup_sees_targets() -> None:
    read = recipe("mixup")
    batch = pack(list(vectors(1, 12, most=2)))
    augment = schedule_of(read).augment
    assert augment is not None
    torch.manual_seed(0)
    soft = False
    for _ in range(5):
        mixed = augment(batch)
        soft |= bool(((mixed.targets["label"] > 0) & (mixed.targets["label"] < 1)).any())
        _check_mixture(batch, mixed)
    assert soft
    valid = vectors(2)
    model = train(read, vectors(1), valid)
    assert auroc(predict(model, batches_of(read, valid, 1).judged()), valid) > 0.9


def _check_mixture(batch: Batch, mixed: Batch) -> None:
    """Some other case of as many instances, in one share, gives both values and targets."""
    spans = list(pairwise(batch.starts.tolist()))
    for b, (begin, end) in enumerate(spans):
        values, label = batch.values[begin:end], batch.targets["label"]
        fits = []
        for c, (start, stop) in enumerate(spans):
            if stop - start != end - begin:
                continue
            way = batch.values[start:stop] - values
            moved = mixed.values[begin:end] - values
            share = float((way * moved).sum() / way.square().sum().clamp(min=1e-9))
            wanted = label[b] + share * (label[c] - label[b])
            same = torch.allclose(moved, share * way, atol=1e-5)
            fits.append(same and torch.allclose(mixed.targets["label"][b], wanted, atol=1e-5))
        assert any(fits)


def typed(seed: int, count: int = 36) -> InMemory:
    """The first number tells malignancy, one of the next three the type, of a third unknown."""
    examples = []
    for i, plain in enumerate(vectors(seed, count, most=3)):
        kind = (i // 2) % 3
        plain.values[:, 1 + kind] += 4.0
        row = torch.eye(3)[kind] if i % 3 else torch.full((3,), torch.nan)
        targets = {**plain.targets, "tumour_type": row}
        examples.append(Example(plain.case, plain.patient, plain.values, targets=targets))
    return InMemory(examples)


def test_two_heads_learn_by_the_weights_of_their_losses() -> None:
    read, learn, valid = recipe("two_heads"), typed(1), typed(2)
    model = model_of(read, WIDTH, 2, 1).eval()
    batch = pack(list(learn)[:6])
    answer = model(batch)
    own, kinds = answer.also["tumour_type"].logits, batch.targets["tumour_type"]
    costs = [
        F.cross_entropy(row[None], kind[None]) if not kind.isnan().any() else torch.tensor(0.0)
        for row, kind in zip(own, kinds, strict=True)
    ]
    wanted = model.head.loss(answer, batch) + 0.3 * torch.stack(costs).mean()
    torch.testing.assert_close(model.cost(answer, batch), wanted)

    model = train(read, learn, valid)
    rows = predict(model, batches_of(read, valid, 1).judged())
    assert auroc(rows, valid) > 0.9, "the first head decides"
    with torch.no_grad():
        told = model.eval()(pack(list(valid))).also["tumour_type"].logits.argmax(1)
    right = told == torch.arange(len(valid)) // 2 % 3
    assert right.float().mean() > 0.8


def test_a_case_without_a_further_label_costs_and_teaches_nothing() -> None:
    model = model_of(recipe("two_heads"), WIDTH, 2, 1)
    batch = pack([list(typed(1))[i] for i in (0, 3)])
    model.loss(batch).backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    assert all(g is None or not g.any() for n, g in grads.items() if n.startswith("also."))
    assert all(bool(grads[n].any()) for n in grads if n.startswith("head."))


def scaled(seed: int, count: int = 32) -> InMemory:
    """Up to four images of each magnification, one of which may be missing."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        there = [s for s in SCALES if rng.random() < 0.75] or [400.0]
        scale = np.repeat(there, rng.integers(1, 5, len(there))).astype(np.float32)
        values = rng.normal(size=(len(scale), 4)).astype(np.float32)
        values[:, 0] += (2 * (i % 2) - 1) * np.where(scale < 150, 3.0, -3.0)
        case, kinds = f"{seed}-{i}", torch.from_numpy(scale)
        made.append(Example(case, case, torch.from_numpy(values), kinds, targets=target(i % 2)))
    return InMemory(made)


def test_four_seeded_view_sets_judge_a_case_and_are_averaged() -> None:
    read, learn, valid = recipe("views"), scaled(1), scaled(2)
    model = train(read, learn, valid, width=4)
    views = views_of(read)
    batches = batches_of(read, valid, 1)
    told = predict(model, batches.judged())
    for example, row in zip(valid, told, strict=True):
        sets = judged_views(views, example)
        assert len(sets) == 4
        for one in sets:
            assert one.scale is not None
            assert one.scale.tolist() == example.scale.unique().tolist()
        alone = [predict(model, [pack([one])])[0] for one in sets]
        np.testing.assert_allclose(row, np.mean(alone, 0), atol=1e-6)
    again = predict(model, batches_of(read, valid, 9).judged())
    np.testing.assert_array_equal(told, again)
    other = predict(model, batches_of(recipe("views", "protocol.seed=2"), valid, 1).judged())
    assert not np.array_equal(told, other)
    assert auroc(told, valid) > 0.9


def test_an_epoch_shows_other_views_than_the_one_before() -> None:
    batches = batches_of(recipe("views"), scaled(1), 1)
    shown = [
        {c: v for b in batches.epoch(n) for c, v in zip(b.cases, _bags(b), strict=True)}
        for n in (0, 0, 1)
    ]
    assert shown[0].keys() == shown[2].keys()
    assert shown[0] == shown[1] != shown[2]


def _bags(batch: Batch) -> list[Any]:
    return [batch.values[begin:end].tolist() for begin, end in pairwise(batch.starts.tolist())]


def test_a_case_is_taken_whole_where_there_are_no_views() -> None:
    example = scaled(1)[0]
    assert judged_views(views_of(recipe("mixup")), example) == (example,)


def folded(seed: int, count: int = 48) -> InMemory:
    """Far from zero on either side is one class, near it the other: no straight line parts them."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        values = rng.normal(0, 0.5, size=(1, WIDTH)).astype(np.float32)
        values[0, 0] = (2.0 if i % 2 else 0.7) * rng.choice([-1, 1]) + rng.normal() * 0.2
        case, patient = f"{seed}-{i}", f"{seed}-p{i // 2}"
        made.append(Example(case, patient, torch.from_numpy(values), targets=target(i % 2)))
    return InMemory(made)


def test_triplets_of_classes_times_cases_and_k_chosen_on_inner_patients() -> None:
    read, learn, valid, test = recipe("triplets"), folded(1), folded(2), folded(3)
    for batch in batches_of(read, learn, 1).epoch(0):
        assert batch.targets["label"].sum(0).tolist() == [6, 6]
        assert len(set(batch.cases)) == 12
    model = train(read, learn, valid)
    remember(model, batches_of(read, learn, 1).once())
    chosen, losses = chosen_on(model, valid)
    assert losses[chosen["k"]] == min(losses.values())
    assert set(losses) == set(model.head.candidates()["k"])
    model.head.adopt(chosen)
    told = predict(model, batches_of(read, test, 1).judged())
    assert auroc(told, test) > 0.9
    fixed = model_of(recipe("triplets", f"model.head.k={chosen['k']}"), WIDTH, 2, 1)
    load_state(fixed, model.state_dict(), "the same model")
    np.testing.assert_array_equal(told, predict(fixed, [pack(list(test))]))


def test_a_choice_that_no_head_offers_is_refused() -> None:
    head = model_of(recipe("triplets"), WIDTH, 2, 1).head
    with pytest.raises(RecipeError, match="Neighbours has no choice 'l' to make"):
        head.adopt({"k": 3, "l": 1})
    plain = model_of(recipe("mixup"), WIDTH, 2, 1).head
    assert plain.candidates() == {}
    with pytest.raises(RecipeError, match="Binary has no choice 'k' to make"):
        plain.adopt({"k": 3})


def chosen_on(model: CaseModel, inner: InMemory) -> tuple[Mapping[str, int], dict[int, float]]:
    """The candidate whose probabilities have the least Brier score."""
    truth = np.array([int(e.targets["label"].argmax()) for e in inner])
    losses = {}
    ((name, values),) = model.head.candidates().items()
    for value in values:
        model.head.adopt({name: value})
        rows = predict(model, [pack(list(inner))])
        losses[value] = METRICS["brier"](truth, rows, rows.argmax(1))
    return {name: min(losses, key=losses.__getitem__)}, losses


def test_a_part_that_wakes_goes_on_with_what_its_optimizer_knew() -> None:
    """One Adam over all parameters, which passes over those without a gradient, is the oracle."""
    read = recipe("wakes")
    learn, states = vectors(1, most=3), []
    taught = model_of(read, WIDTH, 2, 1)

    def keep_state(_epoch: object) -> None:
        states.append({name: t.clone() for name, t in taught.state_dict().items()})

    sides = batches_of(read, learn, 1), batches_of(read, vectors(2), 1)
    fit(taught, sides, schedule_of(read), seed=3, on_epoch=keep_state)
    oracle = model_of(read, WIDTH, 2, 1).train()
    parts = {"pool": list(oracle.pool.parameters()), "head": list(oracle.head.parameters())}
    adam = torch.optim.Adam([{"params": p, "lr": 0.0} for p in parts.values()], fused=True)
    rates = [(1e-3, 1e-2)] * 2 + [(None, 1e-2)] * 2 + [(1e-4, 1e-3)] * 2
    for epoch, here in enumerate(rates):
        for group, rate in zip(adam.param_groups, here, strict=True):
            group["lr"] = rate or 0.0
        for batch in sides[0].epoch(epoch):
            adam.zero_grad()
            oracle.loss(batch).backward()
            if here[0] is None:
                for parameter in parts["pool"]:
                    parameter.grad = None
            adam.step()
        for name, tensor in oracle.state_dict().items():
            assert torch.equal(tensor, states[epoch][name]), (epoch, name)


def test_a_sleeping_part_leaves_its_moments_in_the_checkpoint(tmp_path: Path) -> None:
    read, moments = recipe("wakes"), []
    keep = Keep(tmp_path / "last.safetensors", "key")

    def look(_epoch: object) -> None:
        moments.append(load_tensors(keep.path)[0])

    train(read, vectors(1, most=3), vectors(2), keep=keep, on_epoch=look)
    pool, head = "optimizer/pool.embed.0.weight/", "optimizer/head.judge.last.weight/"
    for entry in ("exp_avg", "exp_avg_sq", "step"):
        asleep = [m[pool + entry] for m in moments[1:4]]
        assert torch.equal(asleep[0], asleep[2]), "nothing is learnt, nothing forgotten"
        assert not torch.equal(moments[3][pool + entry], moments[4][pool + entry])
    steps = [[float(m[name + "step"]) for m in moments] for name in (pool, head)]
    assert steps == [[4, 8, 8, 8, 12, 16], [4, 8, 12, 16, 20, 24]]


@pytest.mark.parametrize("stop_after", [1, 4])
@pytest.mark.parametrize(
    "schedule", ["constant", "{name: plateau, factor: 0.5, patience: 0}", "{name: cosine}"]
)
def test_a_stopped_training_goes_on_bit_for_bit(
    schedule: str, stop_after: int, tmp_path: Path
) -> None:
    read = recipe("wakes", f"train.schedule={schedule}", "train.augment.mixup=0.4")
    learn, valid = vectors(1, most=3), vectors(2)

    def stop(epoch: Any) -> None:
        if epoch.number == stop_after:
            raise KeyboardInterrupt

    whole = train(read, learn, valid, keep=Keep(tmp_path / "a.safetensors", "key"))
    keep = Keep(tmp_path / "b.safetensors", "key")
    with pytest.raises(KeyboardInterrupt):
        train(read, learn, valid, keep=keep, on_epoch=stop)
    resumed = train(read, learn, valid, keep=keep)
    ends = [load_tensors(tmp_path / f"{name}.safetensors") for name in "ab"]
    assert ends[0][1] == ends[1][1]
    assert ends[0][0].keys() == ends[1][0].keys()
    for name, tensor in ends[0][0].items():
        assert torch.equal(tensor, ends[1][0][name]), name
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
