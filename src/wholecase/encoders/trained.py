"""Networks with weights: what the recipe says, what the sidecar says, and that they agree."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from wholecase.core.digest import digest
from wholecase.core.errors import WeightsError, WholecaseError
from wholecase.encoders.field import FIELD
from wholecase.encoders.network import Look
from wholecase.weights import (
    Sidecar,
    WeightFile,
    load_weights,
    package_for,
    state_sha256,
    weight_file,
)

Fetched = TypeVar("Fetched")
SCHEMA = 1
"""Counted up when the same network and weights come to give other vectors."""


def find(
    name: str, weights: str | None, *, download: bool, also: str | None = None
) -> WeightFile | None:
    """The weight file that the recipe names, or None where the hub is to be asked.

    `also` is another name that the sidecar may give the network.

    Raises:
        WeightsError: neither is named, the file is not there, or it belongs to another network.
    """
    if weights is None:
        if download:
            return None
        package = package_for(_architecture(name))
        named = f" (or {package})" if package else ""
        raise WeightsError(
            f"the encoder {name} needs its weights: name a local file{named} under "
            "encoder.weights, or set encoder.download to true to fetch the published ones"
        )
    file = weight_file(Path(weights))
    sidecar = file.sidecar
    known = {_architecture(name), _architecture(also or name)}
    if sidecar is not None and _architecture(sidecar.name) not in known:
        raise WeightsError(
            f"{file.path} belongs to {sidecar.name}, as the JSON file beside it says, not to "
            f"{name}; name that encoder, or give another file"
        )
    return file


def fill(model: nn.Module, file: WeightFile) -> nn.Module:
    """The network with every tensor from the file.

    Raises:
        WeightsError: some are not in it; they would be random, and the vectors with them.
    """
    load_weights(model, file.path, least=1.0)
    return model


def downloaded(fetch: Callable[[], Fetched], name: str) -> Fetched:
    """What is fetched from the net: the network with its published weights, or their file.

    Raises:
        WeightsError: they cannot be had.
    """
    try:
        return fetch()
    except WholecaseError:
        raise
    except Exception as error:  # the hubs' clients have errors of their own, without a family
        raise WeightsError(
            f"the published weights of {name} cannot be fetched ({type(error).__name__}: {error}); "
            "fetch them elsewhere and name the file under encoder.weights"
        ) from error


def look_of(sidecar: Sidecar | None, usual: Look) -> Look:
    """How the network wants its pictures: as the sidecar says, else as usual."""
    if sidecar is None:
        return usual
    return Look(
        sidecar.size_px or usual.side_px, sidecar.mean or usual.mean, sidecar.std or usual.std
    )


def identity_of(
    name: str, arguments: Mapping[str, Any], look: Look, made_of: WeightFile | nn.Module
) -> str:
    """The network's name, and a digest of all that determines its vectors."""
    sha = made_of.sha256 if isinstance(made_of, WeightFile) else state_sha256(made_of)
    facts = {"arguments": dict(arguments), "side_px": look.side_px, "weights": sha}
    return f"{name}@{digest(schema=SCHEMA, name=name, mean=look.mean, std=look.std, **facts)}"


def _architecture(name: str) -> str:
    # timm writes the training after a point: resnet50.tv_in1k
    return name if name in FIELD else name.partition(".")[0]
