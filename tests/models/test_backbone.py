"""Pixels become vectors that know their instance and their place in it."""

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, BACKBONES, Batch, as_float
from wholecase.models.backbones import SmallCnn, cells_of


def test_bytes_and_numbers_are_the_same_pixels() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    assert as_float(pixels).flatten().tolist() == pytest.approx([0, 0.2, 1])
    floats = as_float(pixels)
    assert as_float(floats) is floats


def test_stored_features_are_no_pixels() -> None:
    with pytest.raises(RecipeError, match="pixels have 4 axes"):
        as_float(torch.zeros(5, 1024))


def test_every_vector_lies_where_it_says() -> None:
    maps = torch.randn(3, 4, 2, 5)
    embedded = cells_of(maps, torch.tensor([0, 1, 3]), torch.tensor([1.0, 2.0, 3.0]))
    assert embedded.starts.tolist() == [0, 10, 30]
    for t in range(30):
        instance = int(embedded.origin[t])
        row, column = embedded.cell[t].tolist()
        assert torch.equal(embedded.values[t], maps[instance, :, row, column])
        assert embedded.scale[t] == instance + 1
    assert embedded.origin.tolist() == sorted(embedded.origin.tolist())


@pytest.mark.parametrize("name", BACKBONES)
def test_a_pixel_moves_the_vectors_around_it_alone(name: str) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES[name](3).eval()
    pixels = torch.rand(2, 3, 64, 64)
    changed = pixels.clone()
    changed[1, :, 8, 50] = 1 - changed[1, :, 8, 50]
    batches = [Batch(p, torch.tensor([0, 2]), ("a",), ("a",)) for p in (pixels, changed)]
    with torch.no_grad():
        before, after = (backbone(batch) for batch in batches)
    assert before.values.shape[1] == backbone.width
    moved = (before.values - after.values).abs().amax(1) > 1e-6
    assert moved.any()
    assert (before.origin[moved] == 1).all()
    rows, columns = before.cell[moved].T
    assert rows.max() <= 2
    assert columns.min() >= 5


def test_the_small_network_is_the_published_one_bit_for_bit() -> None:
    torch.manual_seed(0)
    backbone = SmallCnn(3, channels=(8, 12, 16))
    pixels = torch.rand(2, 3, 50, 34)
    told = backbone(Batch(pixels, torch.tensor([0, 2]), ("a",), ("a",))).values
    told.square().sum().backward()
    gradients = [p.grad.clone() for p in backbone.parameters()]
    backbone.zero_grad()
    maps = pixels.contiguous(memory_format=torch.channels_last)
    for convolution, _ in backbone.blocks:
        maps = torch.max_pool2d(torch.relu(convolution(maps)), 2)
    assert torch.equal(told, maps.permute(0, 2, 3, 1).flatten(0, 2))
    maps.square().sum().backward()
    assert all(
        torch.equal(a, p.grad) for a, p in zip(gradients, backbone.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", AGGREGATORS)
def test_every_aggregator_passes_places_on(name: str) -> None:
    torch.manual_seed(0)
    embedded = cells_of(torch.rand(2, 8, 3, 3), torch.tensor([0, 2]))
    pooled = AGGREGATORS[name](8).eval()(embedded)
    assert pooled.cell is embedded.cell
    assert pooled.origin is embedded.origin


def test_channels_that_cannot_be_are_refused() -> None:
    with pytest.raises(RecipeError, match="channels of 1 or more"):
        SmallCnn(3, channels=())
