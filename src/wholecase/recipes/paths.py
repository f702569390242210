"""Files that a recipe names, wherever the command is given."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wholecase.core.regular import why_irregular

PATHS = (("encoder", "weights"),)
"""The keys that name files, besides those of networks."""
BACKBONE = ("model", "backbone")
"""Where networks stand; one that is made of others names files at any depth."""


def resolved(content: Any, folder: Path, at: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """The same content with files in full; what is not absolute lies in `folder`.

    Args:
        content: a recipe, or a part of one.
        folder: where its relative paths begin.
        at: the keys above the content.
    """
    for keys in PATHS:
        if keys[: len(at)] == tuple(at):
            content = _in_full(content, folder, keys[len(at) :])
    return _of_networks(content, folder, tuple(at))


def _of_networks(content: Any, folder: Path, at: tuple[str, ...]) -> Any:  # noqa: ANN401
    if at[:2] == BACKBONE:
        is_file_of_one = len(at) > len(BACKBONE) and at[-1] == "weights"
        return _in_full(content, folder, ()) if is_file_of_one else _inside(content, folder)
    if BACKBONE[: len(at)] != at:
        return content
    key = BACKBONE[len(at)]
    if not isinstance(content, dict) or key not in content:
        return content
    return {**content, key: _of_networks(content[key], folder, (*at, key))}


def _inside(network: Any, folder: Path) -> Any:  # noqa: ANN401
    """A network with its own file in full, and those of the networks that it is made of."""
    if isinstance(network, list):
        return [_inside(one, folder) for one in network]
    if not isinstance(network, dict):
        return network
    return {
        key: _in_full(value, folder, ()) if key == "weights" else _inside(value, folder)
        for key, value in network.items()
    }


def is_file(path: Path) -> bool:
    """Whether a path leads to a file; a pipe or device, which may never end, is none."""
    return why_irregular(path) is None and path.is_file()


def _in_full(content: Any, folder: Path, keys: Sequence[str]) -> Any:  # noqa: ANN401
    if not keys:
        is_named = isinstance(content, str) and content
        return os.path.abspath(folder / content) if is_named else content  # noqa: PTH100 (links stay)
    if not isinstance(content, dict) or keys[0] not in content:
        return content
    return {**content, keys[0]: _in_full(content[keys[0]], folder, keys[1:])}
