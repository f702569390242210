"""The same network under other names: prefixes, numbered layers, other libraries' names."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from wholecase.weights.translations import translated

PREFIXES = ("module.", "model.", "backbone.", "encoder.")
"""What wrappers put before every name."""

LAYOUTS: dict[str, dict[str, str]] = {
    # a residual network rebuilt as a sequence of its children, as RadImageNet publishes it
    "numbered resnet": {
        "0.": "conv1.",
        "1.": "bn1.",
        "4.": "layer1.",
        "5.": "layer2.",
        "6.": "layer3.",
        "7.": "layer4.",
    },
}
"""Name of a layout -> beginnings of its names -> the beginnings that timm and torchvision use."""


def namings(state: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The tensors under every name that they might be meant by, the plainest first."""
    stripped = [dict(state)]
    while (shorter := _without_prefix(stripped[-1])) is not None:
        stripped.append(shorter)
    yield from stripped
    for layout in LAYOUTS.values():
        yield {_renamed(name, layout): tensor for name, tensor in stripped[-1].items()}
    yield from translated(state)


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    for prefix in PREFIXES:
        if inside := {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}:
            # what lies beside, such as a classifier, keeps its name unless that is taken now
            return {k: v for k, v in state.items() if not k.startswith(prefix)} | inside
    return None


def _renamed(name: str, layout: Mapping[str, str]) -> str:
    for old, new in layout.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name
