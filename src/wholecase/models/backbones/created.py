"""A network of timm by its name, without its classifier."""

import difflib
from typing import Any

from torch import nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest


def created(name: str, channels: int, such_as: str, **arguments: Any) -> nn.Module:  # noqa: ANN401
    """At random, for pixels of so many channels.

    Args:
        name: timm's.
        channels: of the pixels.
        such_as: what is proposed where no name is close.
        arguments: what `timm.create_model` must be told besides.

    Raises:
        RecipeError: timm has no such network.
    """
    import timm

    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=1) or [such_as]
        raise RecipeError(f"timm has no network called {name!r}{nearest(name, close)}")
    made: nn.Module = timm.create_model(name, num_classes=0, in_chans=channels, **arguments)
    return made
