"""Files that a recipe names, wherever the command is given."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wholecase.core.regular import why_irregular

PATHS = (("encoder", "weights"), ("model", "backbone", "weights"))
"""The keys that name files."""


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
    return content


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
