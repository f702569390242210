"""Encoders side by side: their vectors of an instance are concatenated."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError
from wholecase.encoders.encoder import Encoder

Build = Callable[[str, Mapping[str, Any]], Encoder]
"""Makes an encoder of its name and options."""


def paired(build: Build, *, members: Sequence[Any]) -> Encoder:
    """Two encoders or more, each on the pictures as it wants them.

    Args:
        build: makes them, on the device where they compute.
        members: each an encoder by name, or `{name: ..., options}`.

    Raises:
        RecipeError: there are fewer than two, or one cannot be.
        WeightsError: the weights of one are missing or belong to another network.
    """
    encoders = [build(name, options) for name, options in members_of(members)]
    sides = {encoder.side_px for encoder in encoders}

    def encode(pixels: UInt8[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N D"]:
        return np.concatenate([encoder.encode(pixels) for encoder in encoders], 1)

    return Encoder(
        identity=f"paired@{digest(members=[encoder.identity for encoder in encoders])}",
        width=sum(encoder.width for encoder in encoders),
        side_px=sides.pop() if len(sides) == 1 else None,
        encode=encode,
        members=tuple(encoders),
    )


def members_of(members: Sequence[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Names and options of encoders side by side.

    Raises:
        RecipeError: there are fewer than two, or one has no name.
    """
    if not isinstance(members, list | tuple) or len(members) < 2:
        raise RecipeError("the encoder 'paired' needs two members or more, each an encoder")
    return [_member(member) for member in members]


def _member(member: object) -> tuple[str, dict[str, Any]]:
    options = {"name": member} if isinstance(member, str) else member
    if not isinstance(options, dict) or not isinstance(options.get("name"), str):
        raise RecipeError(
            "the encoder 'paired' is made of encoders, each a name or `{name: ..., options}`, not "
            f"{member!r}"
        )
    return options["name"], {key: value for key, value in options.items() if key != "name"}
