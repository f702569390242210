"""Pixels become vectors that know their instance and their place in it."""

import pytest
import torch

from wholecase.assemble.case_models import backbone_of
from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, BACKBONES, Backbone, Batch
from wholecase.models.backbones import SmallCnn, cells_of
from wholecase.recipes import Named

SMALL = {"name": "small_cnn", "channels": [4, 6, 8]}
OPTIONS = {
    "small_cnn": {},
    "resnet_grey": {"network": "resnet10t"},
    "paired": {"members": [SMALL, {**SMALL, "channels": [2, 4, 6]}]},
    "attended": {"network": SMALL},
    "timm": {"network": "test_vit", "arguments": {"dynamic_img_size": True}, "instances": 1},
    "per_magnification": {"scales": [40, 100], "network": SMALL},
}
"""With which options each member is held to the contract."""


def built(name: str, **options: object) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return backbone_of(Named(name=name, **options), 3).eval()


def bag(pixels: torch.Tensor, *scales: float) -> Batch:
    starts = torch.tensor([0, len(pixels)])
    return Batch(
        pixels, starts, ("a",), ("a",), scale=torch.tensor(scales).float() if scales else None
    )


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
    backbone = built(name, **OPTIONS[name])
    pixels = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    changed = pixels.clone()
    changed[1, :, 8, 50] = 1 - changed[1, :, 8, 50]
    with torch.no_grad():
        before, after = (backbone(bag(p, 40, 100)) for p in (pixels, changed))
    assert before.values.shape[1] == backbone.width
    moved = (before.values - after.values).abs().amax(1) > 1e-6
    assert moved.any()
    if before.origin is None:  # a vector per instance has no place in it
        assert moved.tolist() == [False, True]
        return
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
    scales = torch.tensor([40.0, 100.0])
    embedded = cells_of(torch.rand(2, 8, 3, 3), torch.tensor([0, 2]), scales)
    of_scales = {"cross_magnification", "concatenated"}
    options = {"scales": [40, 100]} if name in of_scales else {}
    pooled = AGGREGATORS[name](8, **options).eval()(embedded)
    assert pooled.cell is embedded.cell
    assert pooled.origin is embedded.origin


def test_channels_that_cannot_be_are_refused() -> None:
    with pytest.raises(RecipeError, match="channels of 1 or more"):
        SmallCnn(3, channels=())


def test_side_by_side_is_each_network_alone() -> None:
    paired = built("paired", **OPTIONS["paired"])
    batch = bag(torch.rand(3, 3, 16, 16))
    with torch.no_grad():
        told, (one, other) = paired(batch), (member(batch) for member in paired.members)
    assert torch.equal(told.values, torch.cat([one.values, other.values], 1))
    assert torch.equal(told.cell, one.cell)
    assert paired.width == 8 + 6


def test_networks_with_unequal_grids_are_not_paired() -> None:
    paired = built("paired", members=[SMALL, {**SMALL, "channels": [4, 6]}])
    with pytest.raises(RecipeError, match=r"different vectors .*\(12 and 48 in all\)"):
        paired(bag(torch.rand(3, 3, 16, 16)))


@pytest.mark.parametrize("scales", [(100, 40, 100, 40), (40, 40, 40, 40), (100, 100, 100, 100)])
def test_each_instance_goes_through_the_network_of_its_scale(scales: tuple[float, ...]) -> None:
    backbone = built("per_magnification", **OPTIONS["per_magnification"])
    pixels = torch.rand(4, 3, 16, 16)
    starts = torch.tensor([0, 1, 4])
    names = ("a", "b")
    with torch.no_grad():
        told = backbone(Batch(pixels, starts, names, names, scale=torch.tensor(scales).float()))
        for instance, scale in enumerate(scales):
            network = backbone.networks[[40, 100].index(scale)]
            expected = network(bag(pixels[instance : instance + 1]))
            own = told.origin == instance
            torch.testing.assert_close(told.values[own], expected.values)
            assert torch.equal(told.cell[own], expected.cell)
            assert (told.scale[own] == scale).all()
    assert told.starts.tolist() == [0, 4, 16]


def test_a_magnification_that_is_missing_teaches_its_network_nothing() -> None:
    backbone = built("per_magnification", **OPTIONS["per_magnification"])
    backbone(bag(torch.rand(2, 3, 16, 16), 100, 100)).values.sum().backward()
    assert all(p.grad is None for p in backbone.networks[0].parameters())
    assert any(p.grad.any() for p in backbone.networks[1].parameters())


def test_one_network_may_see_all_magnifications() -> None:
    backbone = built("per_magnification", **OPTIONS["per_magnification"], shared=True)
    batch = bag(torch.rand(2, 3, 16, 16), 100, 40)
    with torch.no_grad():
        assert torch.equal(backbone(batch).values, backbone.networks[0](batch).values)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("scale", [63.0, float("nan")])
def test_an_unknown_scale_is_named_with_its_case(*, shared: bool, scale: float) -> None:
    backbone = built("per_magnification", **OPTIONS["per_magnification"], shared=shared)
    names, starts = ("a", "b"), torch.tensor([0, 1, 3])
    batch = Batch(
        torch.rand(3, 3, 16, 16), starts, names, names, torch.tensor([40.0, 100.0, scale])
    )
    with pytest.raises(RecipeError, match=rf"case 'b' has .* scale {scale:g}, .* are 40, 100"):
        backbone(batch)
    with pytest.raises(RecipeError, match="these instances have none"):
        backbone(bag(torch.rand(1, 3, 16, 16)))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("paired", {"members": [SMALL]}, "needs two members or more"),
        ("paired", {"members": [SMALL, 3]}, "made of networks, each a name or .* not 3"),
        ("paired", {"members": [SMALL, {"name": "smal_cnn"}]}, "did you mean 'small_cnn'"),
        ("paired", {"members": [SMALL, {**SMALL, "chanels": [2]}]}, "has no option 'chanels'"),
        ("per_magnification", {"scales": [40, 40.2], "network": SMALL}, "that differ"),
        ("per_magnification", {"scales": [], "network": SMALL}, "positive numbers"),
        ("per_magnification", {"scales": [0, 40], "network": SMALL}, "positive numbers"),
    ],
)
def test_networks_made_of_others_name_what_is_wrong(name: str, options: dict, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        built(name, **options)
