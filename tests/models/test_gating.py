"""The gate whose gradient is written by hand is the gate that torch would differentiate."""

import pytest
import torch
from torch import Tensor

from wholecase.models.attention import HeadwiseLinear
from wholecase.models.dropout import twice
from wholecase.models.gating import gated

COUNT, INPUTS, INNER = 9, 5, 7
Layers = tuple[HeadwiseLinear, HeadwiseLinear]


def layers(heads: int, kind: torch.dtype, scale: float = 1.0) -> Layers:
    torch.manual_seed(0)
    made = HeadwiseLinear(heads, INPUTS, INNER), HeadwiseLinear(heads, INPUTS, INNER)
    with torch.no_grad():
        for parameter in (*made[0].parameters(), *made[1].parameters()):
            parameter.mul_(scale)
    return made[0].to(kind), made[1].to(kind)


def inputs(heads: int, kind: torch.dtype, count: int = COUNT) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, heads, INPUTS, generator=generator).to(kind).requires_grad_()


def plain(parts: Tensor, signal: HeadwiseLinear, gate: HeadwiseLinear) -> Tensor:
    """The paper's words, head after head."""
    each = [
        torch.tanh(parts[:, h] @ signal.weight[h] + signal.bias[h])
        * torch.sigmoid(parts[:, h] @ gate.weight[h] + gate.bias[h])
        for h in range(parts.shape[1])
    ]
    return torch.stack(each, 1)


def gradients(told: Tensor, upstream: Tensor, parts: Tensor, made: Layers) -> list[Tensor]:
    wanted = [parts, made[0].weight, made[0].bias, made[1].weight, made[1].bias]
    return list(torch.autograd.grad(told, wanted, upstream))


def upstream_of(told: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(told.shape, generator=generator).to(told.dtype)


@pytest.mark.parametrize("scale", [1.0, 12.0])
@pytest.mark.parametrize("heads", [1, 3])
def test_values_and_gradients_are_those_of_the_formula(heads: int, scale: float) -> None:
    made, parts = layers(heads, torch.float64, scale), inputs(heads, torch.float64)
    told, naive = gated(parts, *made, 0.0), plain(parts, *made)
    torch.testing.assert_close(told, naive)
    upstream = upstream_of(told)
    own, expected = (gradients(t, upstream, parts, made) for t in (told, naive))
    for mine, theirs in zip(own, expected, strict=True):
        assert mine.abs().max() > 1e-3
        torch.testing.assert_close(mine, theirs)


def test_gradients_are_the_slopes_that_small_steps_show() -> None:
    made, parts = layers(2, torch.float64), inputs(2, torch.float64, 3)
    parameters = [made[0].weight, made[0].bias, made[1].weight, made[1].bias]

    def ask(parts: Tensor, *_parameters: Tensor) -> Tensor:
        return gated(parts, *made, 0.0)

    # gradcheck steps its inputs in place; the layers hold the same tensors
    assert torch.autograd.gradcheck(ask, (parts, *parameters))


@pytest.mark.parametrize("share", [0.25, 0.3, 0.5])
def test_dropout_is_one_mask_on_the_product(share: float) -> None:
    torch.manual_seed(3)
    made, parts = layers(3, torch.float64), inputs(3, torch.float64, 400)
    told, naive = gated(parts, *made, share), plain(parts, *made)
    mask = (told != 0).double()
    keep = 1 - twice(share)
    draws = mask.numel()
    # five deviations of a mean over independent draws
    assert abs(mask.mean().item() - keep) < 5 * (keep * (1 - keep) / draws) ** 0.5
    # the probability that divides is a multiple of 2^-16
    factor = 65536 / round(keep * 65536)
    torch.testing.assert_close(told, naive * mask * factor)
    upstream = upstream_of(told)
    own = gradients(told, upstream, parts, made)
    expected = gradients(naive * mask * factor, upstream, parts, made)
    for mine, theirs in zip(own, expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_single_precision_is_as_near_as_its_digits() -> None:
    made, parts = layers(2, torch.float32), inputs(2, torch.float32, 50)
    told, naive = gated(parts, *made, 0.0), plain(parts, *made)
    torch.testing.assert_close(told, naive, atol=1e-6, rtol=1e-5)
    upstream = upstream_of(told)
    own, expected = (gradients(t, upstream, parts, made) for t in (told, naive))
    for mine, theirs in zip(own, expected, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_a_gradient_that_is_one_number_spread_out_is_taken() -> None:
    made, parts = layers(2, torch.float64), inputs(2, torch.float64)
    own = torch.autograd.grad(gated(parts, *made, 0.0).sum(), parts)[0]
    expected = torch.autograd.grad(plain(parts, *made).sum(), parts)[0]
    torch.testing.assert_close(own, expected)


def test_layers_learn_also_where_the_inputs_do_not() -> None:
    made, parts = layers(2, torch.float64), inputs(2, torch.float64).detach()
    gated(parts, *made, 0.0).sum().backward()
    own = [p.grad.clone() for layer in made for p in layer.parameters()]
    for layer in made:
        layer.zero_grad()
    plain(parts, *made).sum().backward()
    for mine, layer_grad in zip(own, [p.grad for m in made for p in m.parameters()], strict=True):
        torch.testing.assert_close(mine, layer_grad)


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_without_a_gradient_it_is_the_same_thing(share: float) -> None:
    torch.manual_seed(4)
    made, parts = layers(3, torch.float64), inputs(3, torch.float64, 200)
    with torch.no_grad():
        told, naive = gated(parts, *made, share), plain(parts, *made)
    mask = told != 0
    assert bool(mask.all()) == (share == 0)
    factor = 65536 / round((1 - twice(share)) * 65536)
    torch.testing.assert_close(told, naive * mask * factor)


def test_far_out_nothing_becomes_nan() -> None:
    made, parts = layers(2, torch.float32, 300.0), inputs(2, torch.float32, 60)
    told = gated(parts, *made, 0.25)
    told.sum().backward()
    assert bool(told.isfinite().all())
    assert told.abs().max() > 1
    for tensor in (parts, *made[0].parameters(), *made[1].parameters()):
        assert bool(tensor.grad.isfinite().all())
