"""A published network on other channels: what it begins with, and that parts change nothing."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.models import Batch
from wholecase.models.backbones import ResNetGrey, TimmNetwork
from wholecase.models.backbones.backbone import Backbone
from wholecase.models.backbones.resnet_grey import adapted

SMALL = "resnet10t"
NUMBERS = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """What was taught on colours, with a classifier; the names are those of torchvision."""
    torch.manual_seed(0)
    return timm.create_model("resnet18", num_classes=7).state_dict()


def as_published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state


def as_radimagenet(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A sequence of the network's children, without its classifier."""
    renamed = {}
    for name, tensor in state.items():
        first, _, rest = name.partition(".")
        if first in NUMBERS:
            renamed[f"backbone.{NUMBERS[first]}.{rest}"] = tensor
    return renamed


def as_wrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{name}": tensor for name, tensor in as_radimagenet(state).items()}


@pytest.mark.parametrize("layout", [as_published, as_radimagenet, as_wrapped])
def test_weights_are_taken_under_every_layout(
    layout: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    published: dict[str, Tensor],
    tmp_path: Path,
) -> None:
    file = tmp_path / "weights.pt"
    torch.save({"state_dict": layout(published)}, file)
    backbone = ResNetGrey(1, network="resnet18", weights=str(file), first_conv="sum")
    before = backbone.network.layer4[0].conv1.weight.clone()
    assert not torch.equal(before, published["layer4.0.conv1.weight"])
    backbone.begin()
    own = backbone.network.state_dict()
    for name, tensor in own.items():
        wanted = published[name]
        if name == "conv1.weight":
            wanted = wanted.sum(1, keepdim=True)
        assert torch.equal(tensor, wanted), name


def test_the_sum_answers_to_grey_as_the_network_did_and_the_mean_with_a_third() -> None:
    filters, grey = torch.randn(4, 3, 3, 3), torch.randn(2, 1, 8, 8)
    wanted = torch.conv2d(grey.expand(-1, 3, -1, -1), filters)
    torch.testing.assert_close(torch.conv2d(grey, adapted(filters, 1, "sum")), wanted)
    torch.testing.assert_close(torch.conv2d(grey, adapted(filters, 1, "mean")), wanted / 3)
    five = torch.conv2d(grey.expand(-1, 5, -1, -1), adapted(filters, 5, "sum"))
    torch.testing.assert_close(five, wanted)
    assert torch.equal(adapted(filters, 3, "mean"), filters)


def test_a_file_of_another_network_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, file)
    backbone = ResNetGrey(1, network=SMALL, weights=str(file))
    before = backbone.network.layer4[0].conv1.weight.clone()
    with pytest.raises(WeightsError, match="fills 0 of the network's"):
        backbone.begin()
    assert torch.equal(backbone.network.layer4[0].conv1.weight, before)
    file.unlink()
    with pytest.raises(WeightsError, match="there is no weight file"):
        backbone.begin()


def slices(count: int, channels: int = 1) -> Batch:
    values = torch.randn(count, channels, 32, 32, generator=torch.Generator().manual_seed(1))
    return Batch(values, torch.tensor([0, count]), ("a",), ("a",))


def test_parts_give_the_same_vectors_and_gradients_as_all_at_once() -> None:
    torch.manual_seed(0)
    backbone = ResNetGrey(2, network=SMALL, slices=8).eval()
    parts = ResNetGrey(2, network=SMALL, slices=3).eval()
    parts.load_state_dict(backbone.state_dict())
    gradients = []
    for member in (backbone, parts):
        told = member(slices(7, 2)).values
        assert told.shape == (7, member.width)
        told.square().sum().backward()
        gradients.append({name: p.grad for name, p in member.named_parameters()})
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


def test_where_batchnorm_learns_the_slices_of_a_step_share_their_statistics() -> None:
    torch.manual_seed(0)
    whole = ResNetGrey(1, network=SMALL, slices=8).train()
    parts = ResNetGrey(1, network=SMALL, slices=3).train()
    parts.load_state_dict(whole.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(parts(slices(7)).values, whole(slices(7)).values)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"network": "resnet5O"}, "timm has no network called 'resnet5O'; did you mean 'resnet50'"),
        ({"slices": 0}, "slices is 1 or more, not 0"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, object], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        ResNetGrey(1, **options)


def test_a_network_without_maps_is_refused() -> None:
    with pytest.raises(RecipeError, match="test_vit has no maps of a convolution"):
        ResNetGrey(3, network="test_vit").eval()(
            Batch(torch.zeros(1, 3, 160, 160), torch.tensor([0, 1]), ("a",), ("a",))
        )


@pytest.mark.data
def test_real_weights_answer_to_grey_as_the_network_did_to_equal_colours(shared: Path) -> None:
    file = shared / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    grey = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    answers = []
    for channels in (1, 3):
        backbone = ResNetGrey(
            channels,
            network="mobilenetv2_100",
            weights=str(file),
            arguments={"pad_type": "same"},
            first_conv="sum",
        )
        backbone.begin()
        shown = Batch(grey.expand(-1, channels, -1, -1), torch.tensor([0, 2]), ("a",), ("a",))
        with torch.no_grad():
            answers.append(backbone.eval()(shown).values)
    assert answers[0].abs().max() > 0.1
    torch.testing.assert_close(*answers, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", [SMALL, "mobilenetv2_100"])
@pytest.mark.parametrize("from_block", [0, -3], ids=["all learns", "the end learns"])
def test_where_batchnorm_learns_parts_change_neither_gradients_nor_statistics(
    name: str, from_block: int
) -> None:
    """All instances share their statistics, whatever is kept of them, and count once."""
    states, gradients = [], []
    for slices in (32, 2):
        torch.manual_seed(0)
        backbone = ResNetGrey(1, network=name, slices=slices).train()
        learning = backbone.links[from_block:]
        for link in backbone.links:
            backbone.get_submodule(link).requires_grad_(link in learning)
            backbone.get_submodule(link).train(link in learning)
        pixels = torch.randn(5, 1, 64, 64, generator=torch.Generator().manual_seed(1))
        batch = Batch(pixels, torch.tensor([0, 5]), ("a",), ("a",))
        backbone.features(batch).square().mean().backward()
        states.append(backbone.state_dict())
        gradients.append({n: p.grad for n, p in backbone.named_parameters() if p.grad is not None})
    for key, value in states[0].items():
        torch.testing.assert_close(states[1][key], value, rtol=1e-4, atol=1e-6)
    assert gradients[0].keys() == gradients[1].keys()
    for key, value in gradients[0].items():
        scale = float(value.abs().max())
        torch.testing.assert_close(gradients[1][key], value, rtol=1e-3, atol=1e-3 * scale + 1e-9)


@pytest.mark.parametrize("kind", [ResNetGrey, TimmNetwork])
def test_a_file_is_begun_with_only_as_its_sidecar_says(
    kind: type[Backbone], tmp_path: Path
) -> None:
    file, made = tmp_path / "weights.safetensors", {"output_stride": 16}
    save_file(timm.create_model("test_resnet", **made).state_dict(), file)
    told = {"library": "timm", "name": "test_resnet", "arguments": made}
    told["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    file.with_suffix(".json").write_text(json.dumps(told))
    fitting = kind(3, network="test_resnet", weights=str(file), arguments=made)
    fitting.check_file()
    fitting.begin()
    # its tensors fit a network with other arguments just as well, and would say something else
    for method in ("check_file", "begin"):
        with pytest.raises(WeightsError, match=r"made with {'output_stride': 16}.*backbone\.argum"):
            getattr(kind(3, network="test_resnet", weights=str(file)), method)()
    with pytest.raises(WeightsError, match="belongs to test_resnet, as is said of it, and not to"):
        kind(3, network="resnet10t", weights=str(file)).check_file()
