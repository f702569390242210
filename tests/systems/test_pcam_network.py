"""The published network for PatchCamelyon, number for number."""

import pytest
import torch
from torch import nn

from wholecase.assemble import describe, model_of, schedule_of
from wholecase.core.errors import RecipeError
from wholecase.models import Batch, CaseModel, trainable
from wholecase.recipes import read_recipe

PARTS = {
    "backbone.blocks.0.0": 1_792,
    "backbone.blocks.1.0": 73_856,
    "backbone.blocks.2.0": 295_168,
    "pool.query": 32_896,
    "pool.key": 32_896,
    "pool.value": 32_896,
    "pool.output": 16_512,
    "head.judge.hidden.0": 8_256,
    "head.judge.last": 65,
}


def network(seed: int = 1, *overrides: str) -> CaseModel:
    return model_of(read_recipe("pcam-attention", overrides), 3, 2, seed).eval()


def patches(count: int, side: int = 96) -> Batch:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    names = tuple(str(i) for i in range(count))
    return Batch(pixels, torch.arange(count + 1), names, names)


def test_every_part_has_the_published_number_of_parameters() -> None:
    model = network()
    own = {
        name: trainable(module)
        for name, module in model.named_modules()
        if not list(module.children()) and trainable(module)
    }
    assert own == PARTS
    assert sum(own.values()) == trainable(model) == 494_337


def test_the_described_recipe_tells_the_total_and_the_positions() -> None:
    told = "\n".join(describe(read_recipe("pcam-attention")))
    assert "from epoch 0: 494,337 (backbone 370,816, pool 115,200, head 8,321)" in told
    assert "pixels of 3 channels, 96 x 96" in told
    assert "[T, 256, 12, 12]" in told
    assert "[144 T, 128]" in told


def test_it_is_the_network_as_it_is_written_in_the_paper() -> None:
    """Attention for every position, projected, then averaged: our shorter way is the same."""
    model, batch = network(), patches(2)
    with torch.no_grad():
        maps = batch.values.float() / 255
        for block in model.backbone.blocks:
            maps = nn.functional.max_pool2d(torch.relu(block[0](maps)), 2)
        assert maps.shape == (2, 256, 12, 12)
        rows = maps.flatten(2).transpose(1, 2)  # [2, 144, 256]
        pool, judge = model.pool, model.head.judge
        pairs = pool.query(rows) @ pool.key(rows).transpose(1, 2) / 128**0.5
        attended = pool.output(pairs.softmax(2) @ pool.value(rows))
        hidden = torch.relu(judge.hidden[0](attended.mean(1)))
        expected = judge.last(hidden)
        answer = model(batch)
    torch.testing.assert_close(answer.logits, expected)
    received = pairs.softmax(2).mean(1).flatten()
    torch.testing.assert_close(answer.pooled.weights[:, 0], received)


def test_the_seed_fixes_the_weights() -> None:
    a, b, c = (network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["backbone.blocks.0.0.weight"], c["backbone.blocks.0.0.weight"])


@pytest.mark.parametrize("side", [8, 50, 97])
def test_any_side_that_three_halvings_allow_is_taken(side: int) -> None:
    with torch.no_grad():
        answer = network()(patches(2, side))
    assert answer.logits.shape == (2, 1)
    assert len(answer.pooled.weights) == 2 * (side // 8) ** 2


def test_a_side_that_is_too_small_is_told_with_its_cure() -> None:
    with pytest.raises(RecipeError, match=r"needs 8 pixels a side, not 7x7; raise cut\.side_px"):
        network()(patches(1, 7))


def test_the_schedule_is_the_published_one() -> None:
    schedule = schedule_of(read_recipe("pcam-attention"))
    assert (schedule.optimizer, schedule.rate, schedule.decay) == ("adam", 1e-3, 0.0)
    assert schedule.augment is not None
    assert len(schedule.augment.steps) == 3


def test_augmentation_of_stored_features_is_refused() -> None:
    recipe = read_recipe("egfr-clam", ["train.augment.flips=true"])
    with pytest.raises(RecipeError, match="learns from stored features; remove it"):
        schedule_of(recipe)


def test_another_network_by_recipe() -> None:
    model = network(1, "model.backbone.channels=[8, 16]", "model.aggregator=mean")
    with torch.no_grad():
        assert model(patches(2)).pooled.embedding.shape == (2, 1, 16)
