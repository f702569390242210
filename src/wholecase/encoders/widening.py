"""Blocks that widen pictures take some of a batch at a time: less memory, the same bits."""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

WIDEST_BYTES = 40 * 2**20
"""What a block makes of pictures at a time; it lies there twice, since batch norm copies it."""


def widen_in_parts(network: nn.Module) -> None:
    """From now on, blocks of MobileNetV2's kind compute no more pictures at a time than fit.

    Such a block multiplies channels by up to six, and divides them again (Sandler 2018): of 32
    pictures of 224 px, the second one makes 147 MiB of 24 and leaves 9. Parts stay so large that
    the kernels, which go by size, are those of the whole batch. Blocks that squeeze and excite are
    left as they are: of a part of the batch, they give other last bits.
    """
    for block in network.modules():
        if _widens(block):
            block.forward = partial(_in_parts, block, block.forward, wide=_channels(block))


def _widens(block: nn.Module) -> bool:
    # as timm names the convolutions of such a block
    kinds = {"conv_pw": nn.Conv2d, "conv_dw": nn.Conv2d, "conv_pwl": nn.Conv2d, "se": nn.Identity}
    return all(isinstance(getattr(block, name, None), kind) for name, kind in kinds.items())


def _channels(block: nn.Module) -> int:
    assert isinstance(block.conv_pw, nn.Conv2d)  # noqa: S101 (it widens)
    return block.conv_pw.out_channels


def _in_parts(
    block: nn.Module, whole: Callable[[Tensor], Tensor], x: Float[Tensor, "N C H W"], *, wide: int
) -> Float[Tensor, "N c h w"]:
    # a graph is one for any number of pictures, and in training they depend on each other
    if block.training or torch.compiler.is_exporting():
        return whole(x)
    made = x[:, 0].numel() * wide * x.element_size()
    parts = min(len(x), math.ceil(made / WIDEST_BYTES))
    if parts < 2:
        return whole(x)
    return torch.cat([whole(part) for part in torch.split(x, math.ceil(len(x) / parts))])
