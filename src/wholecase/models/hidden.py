"""Hidden layers, as heads have them before they decide and aggregators before they pool."""

from collections.abc import Sequence

from torch import nn

from wholecase.core.errors import RecipeError
from wholecase.models.dropout import dropout_share


def hidden_layers(width: int, hidden: Sequence[int], dropout: float) -> nn.Sequential:
    """Linear, ReLU and dropout for each of `hidden`; of none it gives back what it is given.

    Args:
        width: numbers per vector that comes in.
        hidden: the width of each layer.
        dropout: after each of them.

    Raises:
        RecipeError: a width is less than 1, or dropout is no share.
    """
    share = dropout_share(dropout)
    if min(hidden, default=1) < 1:
        raise RecipeError(f"hidden layers have a width of 1 or more each, not {list(hidden)}")
    layers: list[nn.Module] = []
    for wide in hidden:
        layers += [nn.Linear(width, wide), nn.ReLU(), nn.Dropout(share)]
        width = wide
    return nn.Sequential(*layers)
