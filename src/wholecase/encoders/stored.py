"""The encoder that has run already: what feature files say made them, and that they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wholecase.core.errors import RecipeError, StoreError
from wholecase.encoders.encoder import Encoder

STORED = "stored"
"""Its name in a recipe."""


@dataclass(frozen=True)
class StoredHead:
    """What a feature file says of itself."""

    path: Path
    encoder: str | None
    """None where it does not tell."""
    width: int


def stored_encoder(heads: Sequence[StoredHead], *, identity: str | None = None) -> Encoder:
    """What stands for the network that made all these files.

    Args:
        heads: of at least one file.
        identity: the network's name, where the files do not tell it or each tell it otherwise;
            then only their widths must agree.

    Raises:
        StoreError: two files are of different encoders or widths.
    """
    first = heads[0]
    for head in heads[1:]:
        if head.width != first.width:
            raise _mixed(first, head, f"{first.width} numbers per tile", f"{head.width}")
        if identity is None and head.encoder != first.encoder:
            raise _mixed(first, head, _told(first), _told(head))
    name = identity or first.encoder or "unnamed"
    return Encoder(f"stored:{name}@{first.width}", first.width, None, _cannot)


def _mixed(one: StoredHead, other: StoredHead, of_one: str, of_other: str) -> StoreError:
    cure = "leave one kind out"
    if one.width == other.width:
        cure += ", or name their common encoder under encoder.identity"
    return StoreError(
        f"feature files are mixed: {one.path} has {of_one}, {other.path} has {of_other}; {cure}"
    )


def _told(head: StoredHead) -> str:
    return f"the encoder {head.encoder}" if head.encoder else "no encoder's name"


def _cannot(pixels: np.ndarray) -> np.ndarray:
    raise RecipeError(
        f"there is no network to encode {len(pixels)} pictures with; name an encoder in the recipe"
    )
