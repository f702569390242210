"""Numbers of sixteen bits where they do no harm: in the large products of training."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Pooled

PRECISIONS = ("float32", "bfloat16")


def check_precision(precision: str, device: torch.device | str) -> None:
    """Nothing, if the device can train with this precision.

    Raises:
        RecipeError: there is no such precision, or the device lacks it.
    """
    if precision not in PRECISIONS:
        raise RecipeError(f"train.precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
    if precision == "bfloat16" and not has_bfloat16(torch.device(device).type):
        raise RecipeError(
            f"the {torch.device(device).type} of this machine has no products of bfloat16; "
            "set train.precision to float32"
        )


def has_bfloat16(kind: str) -> bool:
    """Whether a kind of device multiplies bfloat16 itself instead of imitating it."""
    if kind == "cpu":
        return _cpu_has_bfloat16()
    return kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def lowered(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Where products and convolutions take the precision; weights and sums keep theirs."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def in_full(device: torch.device) -> AbstractContextManager[object]:
    """Where everything keeps the precision of its weights, also within `lowered`."""
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def product_dtype(weight: Tensor) -> torch.dtype:
    """What a product with this weight is computed in, here and now."""
    kind = weight.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype


def raised(values: Tensor) -> Tensor:
    """Sixteen bits become thirty-two; what has more stays as it is."""
    return values.float() if values.dtype in {torch.bfloat16, torch.float16} else values


def raised_pooled(pooled: Pooled) -> Pooled:
    """The same, for what a head is given."""
    return replace(
        pooled,
        embedding=raised(pooled.embedding),
        weights=raised(pooled.weights),
        scores=raised(pooled.scores),
        instances=raised(pooled.instances),
    )


def _cpu_has_bfloat16() -> bool:
    cpu = torch.cpu
    if cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported():
        return True
    # of the other architectures oneDNN knows; of x86 it counts those that imitate, too
    import platform

    if platform.machine() in {"x86_64", "AMD64"} or not torch._C._has_mkldnn:
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
