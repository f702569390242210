"""Blocks whose insides are computed anew on the way back, once for the statistics all the same."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, values: Tensor) -> Tensor:
    """The block's output, keeping nothing of what lies within it (Chen 2016).

    BatchNorm sees the same instances twice and counts them once. A block without parameters is
    called as it is: it may work in place.
    """
    if not torch.is_grad_enabled() or not any(True for _ in block.parameters()):
        return block(values)  # type: ignore[no-any-return]

    def rounds() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(block)

    made: Tensor = checkpoint(block, values, use_reentrant=False, context_fn=rounds)
    return made


def has_learning_norm(network: nn.Module) -> bool:
    """Whether a BatchNorm of it takes its statistics from the instances at hand."""
    return any(module.training for module in _norms(network))


def _norms(network: nn.Module) -> Iterator[nn.modules.batchnorm._BatchNorm]:
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            yield module


@contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """What BatchNorm knows stays as it is, while it computes as it learns."""
    norms = list(_norms(block))
    known = [[None if b is None else b.clone() for b in _buffers(norm)] for norm in norms]
    try:
        yield
    finally:
        with torch.no_grad():
            for norm, before in zip(norms, known, strict=True):
                for buffer, value in zip(_buffers(norm), before, strict=True):
                    if buffer is not None and value is not None:
                        buffer.copy_(value)


def _buffers(norm: nn.modules.batchnorm._BatchNorm) -> list[Tensor | None]:
    return [norm.running_mean, norm.running_var, norm.num_batches_tracked]
