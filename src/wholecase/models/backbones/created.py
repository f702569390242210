"""A network of timm by its name, without its classifier, and the file that belongs to it."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.lookup import nearest
from wholecase.weights import weight_file


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


def file_of(name: str, weights: Path, arguments: Mapping[str, Any]) -> Path:
    """Where the weights lie that a network begins with, if what is said of them fits it.

    Tensors of another padding or activation match by name and shape, and give wrong numbers.

    Args:
        name: timm's, of the network.
        weights: a file, or `package:NAME`.
        arguments: what the network was made with besides.

    Raises:
        WeightsError: the file is not there or damaged, or its sidecar tells of another network or
            of other arguments.
    """
    file = weight_file(weights)
    told = file.sidecar
    if told is None:
        return file.path
    if _is_another(told.name, name):
        raise WeightsError(
            f"{weights} belongs to {told.name}, as is said of it, and not to {name}; name that "
            "network, or give another file"
        )
    if lacking := {key: v for key, v in told.arguments.items() if arguments.get(key) != v}:
        raise WeightsError(
            f"{weights} belongs to a {name} that is made with {lacking}, as is said of it; write "
            "that under model.backbone.arguments"
        )
    return file.path


def _is_another(told: str, name: str) -> bool:
    """Whether one network of timm is another; names that only others know say nothing."""
    import timm

    return timm.is_model(told) and told.partition(".")[0] != name.partition(".")[0]
