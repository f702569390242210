"""The encoder that has run already, elsewhere: what stands for it where feature files agree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wholecase.core.errors import RecipeError, StoreError
from wholecase.encoders.encoder import Encoder
from wholecase.features import FeatureOrigin, Named, common_origin, mixture

STORED = "stored"
"""Its name in a recipe."""


def stored_encoder(files: Sequence[Named], *, identity: str | None = None) -> Encoder:
    """What stands for the network that made all these files.

    Args:
        files: at least one, and what each says of its making.
        identity: the network's name, where the files do not tell it or each tell it otherwise.

    Raises:
        StoreError: two files are of different encoders, widths, magnifications or tile sizes.
    """
    origin = stored_origin(files, identity=identity)
    name = f"stored:{origin.encoder or 'unnamed'}@{origin.width}"
    return Encoder(name, origin.width, None, _cannot)


def stored_origin(files: Sequence[Named], *, identity: str | None = None) -> FeatureOrigin:
    """What is known of the making of all these files; arguments and errors as above."""
    if why := mixture(files, identity):
        raise StoreError(why)
    origin = common_origin([origin for _, origin in files])
    return origin if identity is None else replace(origin, encoder=identity)


def _cannot(pixels: np.ndarray) -> np.ndarray:
    raise RecipeError(
        f"there is no network to encode {len(pixels)} pictures with; name an encoder in the recipe"
    )
