"""A network as parts in a row, so that what lies before a part can be computed once and kept."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

SAMPLE_PX = 64
"""Side of the picture by which the row is found out."""


def links_of(network: nn.Module, run: Callable[[Tensor], Tensor], channels: int) -> tuple[str, ...]:
    """The names of the parts that `run` calls one after the other, each on what the last gave.

    They are found by watching: each part is called once, gets the very tensor that the part before
    it gave, and the last one gives the result. A network that does anything else between its parts
    has no such row, and () is returned.

    Args:
        network: the parts are its children; sequences are opened.
        run: calls them, in evaluation mode.
        channels: of the pixels.
    """
    seen: list[tuple[str, Tensor, Tensor]] = []
    hooks = [
        part.register_forward_hook(
            lambda _, given, made, name=name: seen.append((name, given[0], made))
        )
        for name, part in _parts(network)
    ]
    training = {module: module.training for module in network.modules()}
    weight = next(network.parameters())
    sample = torch.zeros(1, channels, SAMPLE_PX, SAMPLE_PX).to(weight)
    network.eval()
    try:
        with torch.no_grad():
            result = run(sample)
    finally:
        for hook in hooks:
            hook.remove()
        for module, was in training.items():
            module.training = was
    return tuple(name for name, _, _ in seen) if _is_row(seen, sample, result) else ()


def _parts(
    network: nn.Module, above: str = "", *, deep: int = 2
) -> Iterator[tuple[str, nn.Module]]:
    for name, child in network.named_children():
        if type(child) is nn.Sequential and deep and len(child):
            yield from _parts(child, f"{above}{name}.", deep=deep - 1)
        else:
            yield f"{above}{name}", child


def _is_row(seen: list[tuple[str, Tensor, Tensor]], sample: Tensor, result: Tensor) -> bool:
    last = sample
    for _, given, made in seen:
        if given is not last:
            return False
        last = made
    names = [name for name, _, _ in seen]
    return bool(seen) and last is result and len(names) == len(set(names))
