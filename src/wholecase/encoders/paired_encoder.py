"""Encoders side by side: their vectors of an instance are concatenated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError
from wholecase.encoders.encoder import Encoder

if TYPE_CHECKING:
    from wholecase.encoders.spec import EncoderSpec


def paired(*, members: Sequence[Any], device: str = "cpu") -> Encoder:
    """Two encoders or more, each on the pictures as it wants them.

    Args:
        members: each an encoder by name, or `{name: ..., options}`.
        device: where they compute.

    Raises:
        RecipeError: there are fewer than two, or one cannot be.
        WeightsError: the weights of one are missing or belong to another network.
    """
    encoders = [spec.build(device) for spec in members_of(members)]
    sides = {encoder.side_px for encoder in encoders}

    def encode(pixels: UInt8[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N D"]:
        return np.concatenate([encoder.encode(pixels) for encoder in encoders], 1)

    return Encoder(
        identity=f"paired@{digest(members=[encoder.identity for encoder in encoders])}",
        width=sum(encoder.width for encoder in encoders),
        side_px=sides.pop() if len(sides) == 1 else None,
        encode=encode,
    )


def members_of(members: Sequence[Any]) -> "list[EncoderSpec]":
    """What a recipe says of encoders side by side, none of them built.

    Raises:
        RecipeError: there are fewer than two, or one has no name.
    """
    from wholecase.encoders.spec import EncoderSpec

    if not isinstance(members, list | tuple) or len(members) < 2:
        raise RecipeError("the encoder 'paired' needs two members or more, each an encoder")
    specs = []
    for member in members:
        told = {"name": member} if isinstance(member, str) else member
        if not isinstance(told, dict) or not isinstance(told.get("name"), str):
            raise RecipeError(
                "the encoder 'paired' is made of encoders, each a name or "
                f"`{{name: ..., options}}`, not {member!r}"
            )
        specs.append(EncoderSpec(told["name"], {k: v for k, v in told.items() if k != "name"}))
    return specs
