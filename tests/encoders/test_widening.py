"""Blocks that widen take some pictures at a time: the same bits, and no more at once than fits."""

import pytest
import timm
import torch
from timm.layers import SqueezeExcite
from timm.models._efficientnet_blocks import InvertedResidual
from torch import nn

from wholecase.encoders import widening
from wholecase.encoders.widening import WIDEST_BYTES, widen_in_parts


@pytest.fixture(autouse=True)
def _same_numbers():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        yield
    torch.set_num_threads(threads)


def pictures(count, channels, side):
    return torch.randn(count, channels, side, side).contiguous(memory_format=torch.channels_last)


def made_by(block, made):
    block.conv_pw.register_forward_hook(lambda *given: made.append(given[2]))


def test_a_network_gives_the_same_bits_and_makes_less_at_once():
    network = timm.create_model("mobilenetv2_100", num_classes=0).eval()
    network.to(memory_format=torch.channels_last)
    made: list[torch.Tensor] = []
    made_by(network.blocks[1][0], made)
    x = pictures(15, 3, 224)
    whole = network(x)
    assert [len(part) for part in made] == [15]
    assert made.pop().numel() * 4 > WIDEST_BYTES
    widen_in_parts(network)
    torch.testing.assert_close(network(x), whole, atol=1e-5, rtol=1e-5)  # here the same bits
    assert [len(part) for part in made] == [8, 7]
    assert all(part.numel() * 4 <= WIDEST_BYTES for part in made)


@pytest.mark.parametrize(
    ("block", "training", "parts"),
    [
        (InvertedResidual(8, 8), False, [2, 2, 1]),
        # pictures of a batch depend on each other
        (InvertedResidual(8, 8), True, [5]),
        # the last bits of its squeezed vectors go by how many there are
        (InvertedResidual(8, 8, se_layer=SqueezeExcite), False, [5]),
    ],
)
def test_what_depends_on_the_batch_takes_all_of_it(monkeypatch, block, training, parts):
    monkeypatch.setattr(widening, "WIDEST_BYTES", 2 * 8 * 16 * 16 * 4)
    made: list[torch.Tensor] = []
    made_by(block, made)
    network = nn.Sequential(block).train(training)
    widen_in_parts(network)
    network(pictures(5, 8, 16))
    assert [len(part) for part in made] == parts


def test_a_graph_is_one_for_any_number(monkeypatch):
    monkeypatch.setattr(widening, "WIDEST_BYTES", 1)
    network = nn.Sequential(InvertedResidual(8, 8)).eval()
    widen_in_parts(network)
    free = ({0: torch.export.Dim("N", min=1, max=64)},)
    made = torch.export.export(network, (pictures(2, 8, 16),), dynamic_shapes=free).module()
    x = pictures(5, 8, 16)
    assert torch.allclose(made(x), network(x), atol=1e-6)
