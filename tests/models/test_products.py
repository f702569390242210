"""Products by oneDNN are those of torch to rounding, in few shapes, and leave nothing set."""

import pytest
import torch
from torch import Tensor

from wholecase.models import products
from wholecase.models.aggregators import AGGREGATORS
from wholecase.models.batch import Embedded

SIZES = [256, 300, 4096, 5000, 13_331]
here = pytest.mark.skipif(
    not hasattr(torch.backends.mkldnn, "matmul"), reason="this torch gives no products to oneDNN"
)


@pytest.fixture
def by_onednn(monkeypatch):
    """As on a processor where it is the faster one; without AMX it rounds nowhere."""
    if torch.cpu._is_amx_tile_supported():
        pytest.skip("oneDNN would round on this processor")
    monkeypatch.setattr(products, "by_onednn", lambda: True)


@pytest.mark.parametrize("count", SIZES)
def test_blocks_follow_one_another_in_few_sizes(count):
    blocks = [rows for rows, _ in products._blocks(count)]
    assert [rows.start for rows in blocks] == [0, *(rows.stop for rows in blocks[:-1])]
    assert blocks[-1].stop == count
    own = {rows.stop - rows.start for rows in blocks if rows.stop - rows.start >= 256}
    assert own <= {4096, 2048, 1024, 512, 256}


@here
@pytest.mark.parametrize("count", [300, 5000])
def test_a_layer_and_its_gradients_are_those_of_torch(by_onednn, count):
    torch.manual_seed(0)
    values, upstream = torch.randn(count, 40, requires_grad=True), torch.randn(count, 24)
    layer = torch.nn.Linear(40, 24)
    wanted = layer(values)
    told = products.linear(values, layer.weight, layer.bias)
    assert type(told.grad_fn).__name__ == "_LinearBackward"
    learnt = [values, layer.weight, layer.bias]
    torch.testing.assert_close(told, wanted, atol=1e-5, rtol=1e-5)
    pairs = (torch.autograd.grad(made, learnt, upstream) for made in (told, wanted))
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-5)


@here
@pytest.mark.parametrize("heads", [1, 4])
def test_attention_learns_the_same(by_onednn, monkeypatch, heads):
    torch.manual_seed(0)
    pool = AGGREGATORS["gated_attention"](32, size="tiny", heads=heads).train()
    embedded = Embedded(torch.randn(900, 32), torch.tensor([0, 400, 900]))

    def gradients(*, faster: bool) -> list[Tensor]:
        monkeypatch.setattr(products, "by_onednn", lambda: faster)
        torch.manual_seed(1)
        pool.zero_grad()
        pool(embedded).embedding.square().sum().backward()
        return [p.grad.clone() for p in pool.parameters()]

    for one, other in zip(gradients(faster=True), gradients(faster=False), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@here
def test_nothing_stays_set_for_the_process(by_onednn):
    before = torch.backends.mkldnn.matmul.fp32_precision
    values, layer = torch.randn(600, 8), torch.nn.Linear(8, 4)
    products.linear(values, layer.weight, layer.bias).sum().backward()
    assert torch.backends.mkldnn.matmul.fp32_precision == before
    with pytest.raises(RuntimeError):
        products.times(values.double(), layer.weight.T, layer.bias)
    assert torch.backends.mkldnn.matmul.fp32_precision == before


def test_judging_and_sixteen_bits_go_the_usual_way(by_onednn):
    """So a case is answered by the same bits whoever asks, and wherever it was learnt."""
    values, layer = torch.randn(600, 8), torch.nn.Linear(8, 4)
    with torch.no_grad():
        assert torch.equal(products.linear(values, layer.weight, layer.bias), layer(values))
    with torch.autocast("cpu", torch.bfloat16):
        assert products.linear(values, layer.weight, layer.bias).dtype == torch.bfloat16
    few = products.linear(values[:100], layer.weight, layer.bias)
    assert type(few.grad_fn).__name__ == "AddmmBackward0"


@pytest.mark.parametrize(
    ("vendor", "wide", "tiles", "told"),
    [
        ("AuthenticAMD", True, False, True),
        ("AMD64 Family 25 Model 17 Stepping 1, AuthenticAMD", True, False, True),
        ("GenuineIntel", True, False, False),
        ("AuthenticAMD", False, False, False),
        ("AuthenticAMD", True, True, False),
    ],
)
@here
def test_it_is_for_processors_that_gain_and_do_not_round(monkeypatch, vendor, wide, tiles, told):
    monkeypatch.setattr(products, "_vendor", lambda: vendor)
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: wide)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert products.by_onednn.__wrapped__() is told
