"""Engines: what computes a network. All but the exact one give slightly other vectors, sooner."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.encoders.encoder import EXACT, Engine
from wholecase.encoders.graph_files import computed_by, write_graph

Compute = Callable[[Tensor], Tensor]
"""Prepared pictures [N, 3, S, S] -> vectors [N, D], without gradients."""


def check_engine(engine: Engine, device: torch.device) -> None:
    """Nothing, if the device has the engine.

    Raises:
        RecipeError: it has not.
    """
    if engine not in {EXACT, *ENGINES}:
        raise RecipeError(f"encoder.engine is one of {EXACT}, {', '.join(ENGINES)}, not {engine!r}")
    if engine == "onnx" and device.type != "cpu":
        raise RecipeError(
            f"the engine onnx computes on the CPU alone; on {device.type} use encoder.engine=bf16 "
            "or exact"
        )


def compute_of(engine: Engine, network: nn.Module, side_px: int, device: torch.device) -> Compute:
    """The frozen network, to be computed by the engine.

    Raises:
        RecipeError: the network cannot be computed so.
    """
    return network if engine == EXACT else ENGINES[engine](network, side_px, device)


def engine_identity(identity: str, engine: Engine) -> str:
    """What stands for the network and its engine: vectors of two engines are not the same.

    >>> engine_identity("resnet50-stage3@1f", "bf16")
    'resnet50-stage3@1f+bf16'
    >>> engine_identity("resnet50-stage3@1f", "exact")
    'resnet50-stage3@1f'
    """
    return identity if engine == EXACT else f"{identity}+{engine}"


def _bf16(network: nn.Module, side_px: int, device: torch.device) -> Compute:  # noqa: ARG001
    """Weights, norms and sums keep their precision, products lose theirs."""

    def compute(pictures: Float[Tensor, "N 3 S S"]) -> Float[Tensor, "N D"]:
        with torch.autocast(device.type, torch.bfloat16):
            vectors: Tensor = network(pictures)
        return vectors

    return compute


def _onnx(network: nn.Module, side_px: int, device: torch.device) -> Compute:  # noqa: ARG001
    """Written as a graph for any number of pictures, which lives in memory alone."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        write_graph(network, side_px, file)
        return computed_by(file)


ENGINES: dict[str, Callable[[nn.Module, int, torch.device], Compute]] = {
    "bf16": _bf16,
    "onnx": _onnx,
}
"""All but the exact one, which is the network itself."""
