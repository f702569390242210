"""The gate of gated attention: tanh of one layer times sigmoid of another, with its dropout."""

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.models.attention import HeadwiseLinear, dropped_by_head
from wholecase.models.dropout import Rows, kept_mask, twice
from wholecase.models.precision import product_dtype
from wholecase.models.products import are_tall, back_through, summed, times


def gated(
    parts: Float[Tensor, "T heads inputs"],
    signal: HeadwiseLinear,
    gate: HeadwiseLinear,
    share: float,
    rows: Rows | None = None,
) -> Float[Tensor, "T heads inner"]:
    """tanh(signal) * sigmoid(gate), after dropout of both factors by `share` (Ilse 2018, eq. 9).

    Where a gradient is wanted, it is written out by hand: two thirds of what torch would keep for
    it are not kept, and the passes over memory that are not products are fewer.
    """
    if not torch.is_grad_enabled() or torch.compiler.is_exporting():
        product = torch.tanh(signal(parts)) * torch.sigmoid(gate(parts))
        return dropped_by_head(product, twice(share), rows)
    kind = product_dtype(signal.weight)
    layers = (signal.weight, signal.bias, gate.weight, gate.bias)
    by_head = parts.transpose(0, 1).to(kind)
    upstream: Tensor = _Gated.apply(by_head, *(p.to(kind) for p in layers), share, rows)
    return upstream.transpose(0, 1)


@final
class _Gated(torch.autograd.Function):
    """Everything lies head by head, [heads, T, ...]."""

    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917 (torch hands tensors over one by one)
        ctx: Any,  # noqa: ANN401
        parts: Tensor,
        signal_weight: Tensor,
        signal_bias: Tensor,
        gate_weight: Tensor,
        gate_bias: Tensor,
        share: float,
        rows: Rows | None,
    ) -> Tensor:
        # tanh(x) = 2 sigmoid(2x) - 1: the same to 1e-7, at a sixth of the time
        signal = _through(parts, signal_weight, signal_bias, 2.0)
        signal.sigmoid_().mul_(2).sub_(1)
        gate = _through(parts, gate_weight, gate_bias, 1.0).sigmoid_()
        ctx.factor = 1.0
        if share:
            # one mask for both factors, put on the gate; the gradient of its sigmoid, gate times
            # (1 - gate), is then zero where the mask is, so the mask need not be kept
            mask, kept = kept_mask(gate, 1 - twice(share), rows, 1)
            gate.mul_(mask)
            ctx.factor = 1 / kept
        ctx.save_for_backward(parts, signal_weight, gate_weight, signal, gate)
        return (signal * gate).mul_(ctx.factor)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        parts, signal_weight, gate_weight, signal, gate = ctx.saved_tensors
        upstream = upstream * ctx.factor
        to_signal = upstream * gate
        torch.ops.aten.tanh_backward.grad_input(to_signal, signal, grad_input=to_signal)
        to_gate = upstream.mul_(signal)
        torch.ops.aten.sigmoid_backward.grad_input(to_gate, gate, grad_input=to_gate)
        if _is_one_tall(parts):
            layers = (to_signal[0], signal_weight[0]), (to_gate[0], gate_weight[0])
            back = back_through(*layers)[None]
        else:
            back = torch.empty_like(parts)  # strides and all: instance by instance
            torch.bmm(to_signal, signal_weight.transpose(1, 2), out=back)
            back.baddbmm_(to_gate, gate_weight.transpose(1, 2))
        return back, *_layer(parts, to_signal), *_layer(parts, to_gate), None, None


def _is_one_tall(parts: Tensor) -> bool:
    """Whether there is one head, and rows enough: parts of several would have to be copied."""
    return len(parts) == 1 and are_tall(parts[0])


def _through(parts: Tensor, weight: Tensor, bias: Tensor, factor: float) -> Tensor:
    """Parts @ weight + bias, times the factor, head by head."""
    if _is_one_tall(parts):
        return times(parts[0], weight[0], bias[0], factor)[None]
    return torch.baddbmm(bias[:, None], parts, weight, beta=factor, alpha=factor)


def _layer(parts: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of a layer's weight and bias; the product is faster this way round."""
    if _is_one_tall(parts):
        return summed(gradient[0], parts[0]).T[None], gradient.sum(1)
    return torch.bmm(gradient.transpose(1, 2), parts).transpose(1, 2), gradient.sum(1)
