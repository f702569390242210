"""Training by sixteen bits stays near training by thirty-two, and keeps thirty-two."""

import itertools
from pathlib import Path

import pytest
import torch

from toys import TOYS, InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError
from wholecase.models import (
    AGGREGATORS,
    HEADS,
    PRECISIONS,
    CaseModel,
    check_precision,
    load_tensors,
    lowered,
    precision,
    predict,
    save_model,
)
from wholecase.training import Example, History, Keep, Schedule, Shuffled, fit

WIDTH, EPOCHS, RATE = 12, 15, 3e-4
NEAR = 2**-7
"""A number of bfloat16 near 1 is off by 2^-8 at most; losses here are below 1, and may be off by
twice as much."""

needs_bfloat16 = pytest.mark.skipif(
    not precision.has_bfloat16("cpu"), reason="this processor has no products of bfloat16"
)


def model(pool: str = "gated_attention", **options: object) -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        taken = {"size": "small", "heads": 4, "dropout": 0.0, **options}
        return CaseModel(
            pool=AGGREGATORS[pool](WIDTH, **taken),
            head=HEADS["binary"](512, 2, hidden=[8], dropout=0.0),
        )


def bags(seed: int) -> Shuffled:
    """Positives have one instance in six of another kind; labels can be learnt, not at once."""
    generator = torch.Generator().manual_seed(seed)
    examples = []
    for i in range(24):
        values = torch.randn(6, WIDTH, generator=generator)
        values[0, :3] += 2.0 * (i % 2)
        examples.append(Example(f"{seed}-{i}", f"{seed}-{i}", values, targets=target(i % 2)))
    return Shuffled(InMemory(examples), seed, cases=4, instances=24)


def taught(kind: str, keep: Path | None = None) -> tuple[CaseModel, History]:
    made = model()
    schedule = Schedule(epochs=EPOCHS, rate=RATE, precision=kind)
    kept = None if keep is None else Keep(keep, "key")
    return made, fit(made, (bags(1), bags(2)), schedule, seed=0, keep=kept)


def losses(history: History) -> torch.Tensor:
    return torch.tensor([[e.train_loss, e.valid_loss] for e in history.epochs])


@pytest.mark.slow
@needs_bfloat16
def test_losses_stay_near_those_of_single_precision() -> None:
    (_, full), (_, half) = taught("float32"), taught("bfloat16")
    expected, told = losses(full), losses(half)
    assert expected[0, 0] - expected[-1, 0] > 10 * NEAR, "it learns, by more than what is let pass"
    assert not torch.equal(told, expected), "the products were made of sixteen bits"
    assert (told - expected).abs().max() < NEAR


@pytest.mark.slow
@needs_bfloat16
def test_weights_gradients_and_checkpoints_keep_thirty_two_bits(tmp_path) -> None:
    files = {}
    for kind in PRECISIONS:
        made, _ = taught(kind, tmp_path / f"{kind}.last")
        for name, parameter in made.named_parameters():
            assert parameter.dtype == torch.float32, name
            assert parameter.grad is None or parameter.grad.dtype == torch.float32, name
        save_model(tmp_path / f"{kind}.model", made, {})
        files[kind] = [
            {name: (t.dtype, t.shape) for name, t in load_tensors(tmp_path / end)[0].items()}
            for end in (f"{kind}.last", f"{kind}.model")
        ]
    assert files["bfloat16"] == files["float32"]
    assert torch.bfloat16 not in {d for part in files["bfloat16"] for d, _ in part.values()}
    told = predict(made, bags(3).once())
    assert told.shape == (24, 2)


@needs_bfloat16
def test_what_is_pooled_and_decided_keeps_thirty_two_bits() -> None:
    batch = next(iter(bags(1).once()))
    made = model().train()
    with lowered("bfloat16", torch.device("cpu")):
        answer = made(batch)
    assert answer.logits.dtype == torch.float32
    for name in ("embedding", "weights", "scores", "instances"):
        assert getattr(answer.pooled, name).dtype == torch.float32, name
    plain = made(batch)
    assert not torch.equal(answer.logits, plain.logits)
    torch.testing.assert_close(answer.logits, plain.logits, atol=NEAR, rtol=0)
    starts = batch.starts.tolist()
    for begin, end in itertools.pairwise(starts):
        torch.testing.assert_close(answer.pooled.weights[begin:end].sum(0), torch.ones(1))


@needs_bfloat16
@pytest.mark.parametrize("name", TOYS)
def test_every_system_learns_a_step_in_sixteen_bits(name: str) -> None:
    toy = TOYS[name]
    made = toy.model()
    before = {k: v.clone() for k, v in made.state_dict().items()}
    sides = (toy.batches(toy.examples(1), 0), toy.batches(toy.examples(2), 0))
    history = fit(made, sides, Schedule(epochs=1, rate=1e-3, precision="bfloat16"), seed=0)
    assert bool(losses(history).isfinite().all())
    after = made.state_dict()
    assert {v.dtype for v in after.values()} == {v.dtype for v in before.values()}
    assert any(not torch.equal(v, before[k]) for k, v in after.items())


def test_a_machine_without_is_told_before_anything_is_learnt(monkeypatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda kind: False)
    made = model()
    before = {k: v.clone() for k, v in made.state_dict().items()}
    schedule = Schedule(epochs=1, precision="bfloat16")
    told = r"the cpu of this machine has no products of bfloat16; set train\.precision to float32"
    with pytest.raises(RecipeError, match=told):
        fit(made, (bags(1), bags(2)), schedule, seed=0)
    assert all(torch.equal(v, before[k]) for k, v in made.state_dict().items())
    check_precision("float32", "cpu")  # which every machine has


@pytest.mark.parametrize("wrong", ["float16", "bf16", ""])
def test_an_unknown_precision_is_refused(wrong: str) -> None:
    with pytest.raises(RecipeError, match=f"is one of float32, bfloat16, not '{wrong}'"):
        fit(model(), (bags(1), bags(2)), Schedule(epochs=1, precision=wrong), seed=0)


def test_devices_that_are_not_known_to_have_it_do_not() -> None:
    assert not precision.has_bfloat16("mps")
