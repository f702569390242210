"""Large products of float32 by oneDNN, where torch's own library leaves half of a processor idle.

MKL, which torch multiplies with, takes instructions of 256 bits on processors of AMD that have 512
(measured: 76 to 86 of 105 GFLOP/s on Zen 4). oneDNN takes them. Torch asks it for products of
float32 only where these may be rounded to bfloat16, which it does on processors with AMX and on no
others; so this is for those without. Each shape costs oneDNN a kernel and memory that is never
given back (7 MB), so products are cut into blocks of few sizes.
"""

import contextlib
import functools
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

LARGEST, SMALLEST = 4096, 256
"""Rows of a block: as often as it fits, then by halves. What is left over goes the usual way."""


@functools.cache
def by_onednn() -> bool:
    """Whether products of float32 are faster by oneDNN on this processor, and as exact."""
    cpu, onednn = torch.cpu, _settings()
    if not onednn.is_available() or not hasattr(onednn, "matmul"):
        return False
    rounds = cpu._is_amx_tile_supported()
    return "AuthenticAMD" in _vendor() and cpu._is_avx512_supported() and not rounds


def are_tall(values: Tensor) -> bool:
    """Whether products of these rows go by oneDNN: many of float32, on such a processor."""
    many = len(values) >= SMALLEST and values.dtype == torch.float32
    return many and values.device.type == "cpu" and by_onednn()


def linear(
    values: Float[Tensor, "T D"], weight: Float[Tensor, "E D"], bias: Float[Tensor, " E"]
) -> Float[Tensor, "T E"]:
    """`torch.nn.functional.linear`; of many rows by oneDNN, while it is learnt."""
    plain = torch.is_autocast_enabled("cpu") or torch.compiler.is_exporting()
    if plain or not torch.is_grad_enabled() or not are_tall(values):
        return torch.nn.functional.linear(values, weight, bias)
    made: Tensor = _Linear.apply(values, weight, bias)
    return made


def times(
    values: Float[Tensor, "T D"],
    weight: Float[Tensor, "D E"],
    bias: Float[Tensor, " E"],
    factor: float = 1.0,
) -> Float[Tensor, "T E"]:
    """Values @ weight + bias, times the factor, for rows that are tall."""
    made = values.new_empty((len(values), weight.shape[1]))
    for rows, ahead in _blocks(len(values)):
        with ahead:
            torch.addmm(bias, values[rows], weight, beta=factor, alpha=factor, out=made[rows])
    return made


def back_through(*layers: tuple[Float[Tensor, "T E"], Float[Tensor, "D E"]]) -> Tensor:
    """The sum of gradient @ weight.T over layers [T, D], for rows that are tall."""
    (gradient, weight), *others = layers
    made = gradient.new_empty((len(gradient), len(weight)))
    for rows, ahead in _blocks(len(gradient)):
        with ahead:
            torch.mm(gradient[rows], weight.T, out=made[rows])
            for also, layer in others:
                made[rows].addmm_(also[rows], layer.T)
    return made


def summed(left: Float[Tensor, "T E"], right: Float[Tensor, "T D"]) -> Float[Tensor, "E D"]:
    """The product left.T @ right, for rows that are tall: what the gradient of a weight is."""
    made = left.new_zeros((left.shape[1], right.shape[1]))
    for rows, ahead in _blocks(len(left)):
        with ahead:
            made.addmm_(left[rows].T, right[rows])
    return made


@final
class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(values, weight)
        return times(values, weight.T, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        values, weight = ctx.saved_tensors
        back = upstream @ weight if ctx.needs_input_grad[0] else None
        return back, summed(upstream, values), upstream.sum(0)


def _blocks(count: int) -> Iterator[tuple[slice, contextlib.AbstractContextManager[object]]]:
    """Blocks of rows from the first to the last, each with who multiplies it."""
    begin, size = 0, LARGEST
    while size >= SMALLEST:
        while count - begin >= size:
            yield slice(begin, begin + size), _onednn()
            begin += size
        size //= 2
    if begin < count:
        yield slice(begin, count), contextlib.nullcontext()


@contextlib.contextmanager
def _onednn() -> Iterator[None]:
    """Within, torch gives products of float32 to oneDNN; what was set before is set behind it."""
    matmul = _settings().matmul
    before = matmul.fp32_precision
    matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        matmul.fp32_precision = before


def _settings() -> Any:  # noqa: ANN401 (a module that is made while torch loads)
    return torch.backends.mkldnn


def _vendor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()  # of Windows, which names it there
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), ""
    )
