"""Dropout left on while inner patients are judged: seeded, of the heads alone, and put back."""

import numpy as np
import pytest
import torch

from toys.toy import InMemory, target
from wholecase.assemble import check_recipe
from wholecase.core.errors import RecipeError
from wholecase.experiment.results import _dropout_note
from wholecase.models import PASSES, CaseModel, dropped_answers
from wholecase.models.aggregators import GatedAttention
from wholecase.models.heads import Binary
from wholecase.recipes import read_recipe
from wholecase.training import Example, Schedule, Shuffled
from wholecase.training.watch import judge


def model() -> CaseModel:
    torch.manual_seed(1)
    pool = GatedAttention(4, size="small", heads=1)
    return CaseModel(
        pool=pool, head=Binary(pool.embedding_width, 2, hidden=[32], dropout=0.7)
    ).train()


def side() -> Shuffled:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(12, 3, 4)).astype(np.float32)
    made = [
        Example(f"{i}", f"{i}", torch.from_numpy(bag), targets=target(i % 2))
        for i, bag in enumerate(values)
    ]
    return Shuffled(InMemory(made), 0, cases=6)


def said(asked: CaseModel, seed: int, share: float = 0.5) -> np.ndarray:
    told = dropped_answers(asked, side().once(), share=share, seed=seed)
    return np.concatenate([[a.logits[:, 0].numpy() for a in each] for _, each in told], axis=1)


def test_each_pass_drops_other_numbers_and_a_seed_the_same() -> None:
    asked, before = model(), torch.get_rng_state()
    logits = said(asked, 3)
    assert logits.shape == (PASSES, 12)
    assert (logits.std(0) > 1e-4).all()
    np.testing.assert_array_equal(logits, said(asked, 3))
    assert not np.array_equal(logits, said(asked, 4))
    assert torch.equal(torch.get_rng_state(), before), "nobody else's chance is touched"
    drops = [part for part in asked.modules() if isinstance(part, torch.nn.Dropout)]
    assert all(part.p == 0.7 and part.training for part in drops)
    assert all(part.training for part in asked.modules())


def test_only_heads_drop() -> None:
    """As good as no dropout at all is evaluation mode: the pooling's own stays asleep."""
    asked = model()
    logits = said(asked, 3, share=1e-9)
    asked.eval()
    with torch.no_grad():
        still = np.concatenate([asked(batch).logits[:, 0].numpy() for batch in side().once()])
    np.testing.assert_allclose(logits, np.tile(still, (PASSES, 1)), atol=1e-6)


def test_an_epoch_is_judged_by_the_mean_of_the_passes() -> None:
    asked = model()
    plain, dropped, again = (
        judge(asked, side(), Schedule(epochs=1, validation_dropout=share), 5)
        for share in (0.0, 0.5, 0.5)
    )
    assert dropped == again
    assert dropped.loss != plain.loss
    costs = [
        [float(asked.cost(answer, batch)) * len(batch.cases) for answer in each]
        for batch, each in dropped_answers(asked, side().once(), share=0.5, seed=5)
    ]
    assert dropped.loss == pytest.approx(np.mean(np.sum(costs, 0)) / 12)
    probabilities = torch.sigmoid(torch.from_numpy(said(asked, 5))).mean(0)
    assert dropped.p_positive == pytest.approx(float(probabilities[1::2].mean()), abs=1e-6)


def test_a_recipe_says_it_and_needs_a_hidden_layer() -> None:
    small = "model.backbone.network={name: small_cnn, channels: [4]}"
    on = read_recipe("breakhis-mmnet", [small, "train.validation_dropout=0.7"])
    check_recipe(on, weights=False)
    assert _dropout_note(on).startswith("Epochs were chosen on inner patients with 0.7 of")
    off = read_recipe("breakhis-mmnet")
    assert _dropout_note(off) == ""
    assert "validation_dropout" not in off.model_dump(mode="json")["train"]
    flat = read_recipe(
        "breakhis-mmnet", [small, "train.validation_dropout=0.7", "model.head.hidden=[]"]
    )
    with pytest.raises(RecipeError, match=r"none; give model\.head\.hidden, or set it to 0"):
        check_recipe(flat, weights=False)
