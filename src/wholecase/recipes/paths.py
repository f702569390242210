"""Files that a recipe names, wherever the command is given."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wholecase.core.regular import why_irregular

NETWORKS = (("encoder",), ("model", "backbone"))
"""Where networks stand; one that is made of others names files at any depth."""
PACKAGED = "package:"
"""How weights begin that an installed package brings; they lie wherever it does."""
PARTS = ("parts",)
"""Where files of one's own parts stand."""


def resolved(content: Any, folder: Path, at: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """The same content with files in full; what is not absolute lies in `folder`.

    Args:
        content: a recipe, or a part of one.
        folder: where its relative paths begin.
        at: the keys above the content.
    """
    for place in NETWORKS:
        content = _of_networks(content, folder, tuple(at), place)
    if tuple(at) == PARTS:
        return _of_parts(content, folder)
    if not at and isinstance(content, dict) and PARTS[0] in content:
        return {**content, PARTS[0]: _of_parts(content[PARTS[0]], folder)}
    return content


def _of_parts(entries: Any, folder: Path) -> Any:  # noqa: ANN401
    """Files of parts in full; modules and packages as they are."""
    if not isinstance(entries, list):
        return entries
    return [
        in_full(one, folder) if isinstance(one, str) and one.endswith(".py") else one
        for one in entries
    ]


def _of_networks(content: Any, folder: Path, at: tuple[str, ...], place: tuple[str, ...]) -> Any:  # noqa: ANN401
    if at[: len(place)] == place:
        is_file_of_one = len(at) > len(place) and at[-1] == "weights"
        return in_full(content, folder) if is_file_of_one else _inside(content, folder)
    if place[: len(at)] != at:
        return content
    key = place[len(at)]
    if not isinstance(content, dict) or key not in content:
        return content
    return {**content, key: _of_networks(content[key], folder, (*at, key), place)}


def _inside(network: Any, folder: Path) -> Any:  # noqa: ANN401
    """A network with its own file in full, and those of the networks that it is made of."""
    if isinstance(network, list):
        return [_inside(one, folder) for one in network]
    if not isinstance(network, dict):
        return network
    return {
        key: in_full(value, folder) if key == "weights" else _inside(value, folder)
        for key, value in network.items()
    }


def is_file(path: Path) -> bool:
    """Whether a path leads to a file; a pipe or device, which may never end, is none."""
    return why_irregular(path) is None and path.is_file()


def in_full(content: Any, folder: Path) -> Any:  # noqa: ANN401
    """A file's path in full, where one is named; a package that brings a file as it is."""
    is_named = isinstance(content, str) and content and not content.startswith(PACKAGED)
    return os.path.abspath(folder / content) if is_named else content  # noqa: PTH100 (links stay)
