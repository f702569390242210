"""The encoder as the process that commands knows it: only where it encodes itself it has a network.

It would stay in memory there for nothing, and torch with it (docs/performance.md).
"""

from dataclasses import replace
from functools import partial

import numpy as np

from wholecase.encoders import Encoder, EncoderSpec
from wholecase.execution import Place, parallel_map


def encodes_here(place: Place, *, central: bool | None) -> bool:
    """Whether this process encodes what workers read, or all is done in it."""
    return (place.accelerated if central is None else central) or not place.workers


def introduced(spec: EncoderSpec, place: Place, *, central: bool | None) -> Encoder:
    """The encoder, ready where this process encodes; else what a process that ends tells of it.

    Raises:
        RecipeError: its name, options or device.
        WeightsError: its weights.
    """
    if spec.is_light or encodes_here(place, central=central):
        return spec.build(place.device)
    (told,) = parallel_map(partial(_told, device=place.device), [spec], workers=1)
    if told.error is not None:
        raise told.error
    assert told.result is not None  # noqa: S101 (one of both)
    return told.result


def _told(spec: EncoderSpec, device: str) -> Encoder:
    return _without_network(spec.build(device))


def _without_network(encoder: Encoder) -> Encoder:
    members = tuple(_without_network(member) for member in encoder.members)
    return replace(encoder, encode=_elsewhere, members=members, graph=None)


def _elsewhere(pixels: np.ndarray) -> np.ndarray:
    raise AssertionError(f"{len(pixels)} pictures came to a process whose workers encode")
