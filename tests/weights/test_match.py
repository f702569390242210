"""Weights fill the network they belong to under any usual naming, and no other."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet18

from wholecase.core.errors import WeightsError
from wholecase.weights import load_weights


def small(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def saved(tmp_path, state, name="w.safetensors"):
    file = tmp_path / name
    save_file({k: v.contiguous() for k, v in state.items()}, file)
    return file


def equal(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(s, t) for (a, s), (b, t) in pairs)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.backbone.", "encoder.model."])
def test_wrappers_prefixes_are_understood(tmp_path, prefix):
    given, model = small(1), small(2)
    file = saved(tmp_path, {prefix + k: v for k, v in given.state_dict().items()})
    match = load_weights(model, file)
    assert equal(model, given)
    assert (match.share, match.missing, match.unexpected) == (1.0, (), ())
    assert len(match.matched) == 2 + 4 + 2  # convolution, batch norm less its counter, linear


def test_a_network_whose_own_names_begin_like_a_wrapper(tmp_path):
    given, model = (nn.ModuleDict({"encoder": small(s), "head": nn.Linear(2, 2)}) for s in (1, 2))
    load_weights(model, saved(tmp_path, given.state_dict()))
    assert equal(model, given)


def test_what_lies_beside_a_prefix_is_unexpected(tmp_path):
    state = {f"backbone.{k}": v for k, v in small(1).state_dict().items()}
    match = load_weights(small(2), saved(tmp_path, {**state, "fc.weight": torch.ones(2)}))
    assert match.unexpected == ("fc.weight",)


def test_a_numbered_residual_network(tmp_path):
    numbers = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    given, model = resnet18(), resnet18()
    given.fc = model.fc = nn.Identity()
    state = {}
    for name, tensor in given.state_dict().items():
        first, _, rest = name.partition(".")
        state[f"backbone.{numbers[first]}.{rest}"] = tensor
    match = load_weights(model, saved(tmp_path, state))
    assert match.share == 1
    assert equal(model, given)


def test_counters_do_not_count(tmp_path):
    state = {k: v for k, v in small(1).state_dict().items() if "num_batches" not in k}
    assert load_weights(small(2), saved(tmp_path, state)).share == 1


def test_too_little_is_refused_and_changes_nothing(tmp_path):
    model, untouched = small(2), small(2)
    state = small(1).state_dict()
    state["9.strange"] = state.pop("3.weight")
    with pytest.raises(WeightsError) as refusal:
        load_weights(model, saved(tmp_path, state))
    for part in ("7 of the network's 8", "'3.weight'", "'9.strange'", "88%", "95%", "give"):
        assert part in str(refusal.value)
    assert equal(model, untouched)
    assert load_weights(model, tmp_path / "w.safetensors", least=0.8).missing == ("3.weight",)


def test_another_shape_does_not_match(tmp_path):
    state = small(1).state_dict()
    state["3.weight"] = torch.zeros(5, 4)
    match = load_weights(small(2), saved(tmp_path, state), least=0.5)
    assert match.missing == match.unexpected == ("3.weight",)
