"""Learning from the instances that decide: the others are scored, and nothing is kept of them."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from wholecase.models.batch import Answer, Embedded


def is_each_alone(network: nn.Module) -> bool:
    """Whether an instance comes out the same, whoever is with it and whenever it is asked.

    Not where BatchNorm takes its statistics from those at hand, while it learns or where it keeps
    none, nor where dropout or stochastic depth draws for each.
    """
    return not any(_mixes(module) for module in network.modules())


def learns(network: nn.Module) -> bool:
    """Whether a gradient of the network is wanted."""
    return torch.is_grad_enabled() and any(p.requires_grad for p in network.parameters())


def deciding(answer: Answer, embedded: Embedded) -> Int[Tensor, " W"]:
    """The instances that any of the heads gives a weight, in rising order."""
    heads = (answer, *answer.also.values())
    weighed: Bool[Tensor, " T"] = torch.stack(
        [(head.pooled.weights > 0).any(1) for head in heads]
    ).any(0)
    chosen: Tensor = torch.unique_consecutive(_origin(embedded)[weighed])  # origins rise
    return chosen


def with_gradient(embedded: Embedded, few: Embedded, chosen: Int[Tensor, " W"]) -> Embedded:
    """The vectors of all instances, of which those of the chosen carry a gradient.

    Args:
        embedded: of all.
        few: of the chosen, in the same order.
        chosen: instances.
    """
    rows = torch.isin(_origin(embedded), chosen).nonzero()[:, 0]
    return replace(embedded, values=embedded.values.index_put((rows,), few.values))


def _origin(embedded: Embedded) -> Int[Tensor, " T"]:
    if embedded.origin is not None:
        return embedded.origin
    return torch.arange(len(embedded.values), device=embedded.values.device)


def _mixes(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return module.training or module.running_mean is None
    if not module.training:
        return False
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    return bool(getattr(module, "drop_prob", 0))  # of timm's stochastic depth
