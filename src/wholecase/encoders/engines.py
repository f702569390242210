"""Engines: what computes a network. All but the exact one give slightly other vectors, sooner."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.exporting import quiet
from wholecase.encoders.encoder import EXACT, Engine

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
    import onnxruntime

    example = torch.zeros(2, 3, side_px, side_px)
    free = ({0: torch.export.Dim("N", min=1, max=2**16)},)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        try:
            with quiet():
                # a step of its own: it refuses what depends on N, where the next would fix N
                program = torch.export.export(network, (example,), dynamic_shapes=free)
                made = torch.onnx.export(program, dynamo=True, verbose=False)
            assert made is not None  # noqa: S101 (no file was named)
            made.save(str(file), external_data=True)  # large networks exceed the limit of one file
        except (torch._dynamo.exc.UserError, torch.onnx.OnnxExporterError, RuntimeError) as error:
            raise RecipeError(
                f"{type(network).__name__} cannot be written for the engine onnx "
                f"({type(error).__name__}); use encoder.engine=exact or bf16"
            ) from error
        session = onnxruntime.InferenceSession(str(file), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def compute(pictures: Float[Tensor, "N 3 S S"]) -> Float[Tensor, "N D"]:
        (vectors,) = session.run(None, {name: pictures.contiguous().numpy()})
        return torch.from_numpy(vectors)

    return compute


ENGINES: dict[str, Callable[[nn.Module, int, torch.device], Compute]] = {
    "bf16": _bf16,
    "onnx": _onnx,
}
"""All but the exact one, which is the network itself."""
