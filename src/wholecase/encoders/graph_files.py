"""Networks as ONNX files: written for any number of pictures, computed by onnxruntime."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.exporting import one_thread_session, quiet

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

META = "wholecase"
"""Under which a file of ours says what it was made of, and what it gave there."""
ONE_FILE = 1_900_000_000
"""Bytes of weights that fit into one file, whose limit is 2 GiB; more lie beside it."""
SAME = 0.9999
"""Least cosine between what a file gives here and gave where it was made."""


def write_graph(network: nn.Module, side_px: int, path: Path) -> None:
    """Write a frozen network from pictures [N, 3, S, S] to vectors [N, D], for any N.

    Raises:
        RecipeError: it does what no such graph can hold.
    """
    example = torch.zeros(2, 3, side_px, side_px)
    free = ({0: torch.export.Dim("N", min=1, max=2**16)},)
    try:
        with quiet():
            # a step of its own: it refuses what depends on N, where the next would fix N
            program = torch.export.export(network, (example,), dynamic_shapes=free)
            made = torch.onnx.export(
                program,
                input_names=["pictures"],
                output_names=["vectors"],
                dynamo=True,
                verbose=False,
            )
        assert made is not None  # noqa: S101 (no file was named)
        size = sum(tensor.nbytes for tensor in network.state_dict().values())
        made.save(str(path), external_data=size > ONE_FILE)
    except (torch._dynamo.exc.UserError, torch.onnx.OnnxExporterError, RuntimeError) as error:
        raise RecipeError(
            f"{type(network).__name__} cannot be written as an ONNX graph "
            f"({type(error).__name__}); use encoder.engine=exact or bf16"
        ) from error


def computed_by(path: Path) -> Callable[[Tensor], Tensor]:
    """What onnxruntime makes of prepared pictures in one thread; the file is read at once."""
    return GraphNetwork(one_thread_session(path))


class GraphNetwork(nn.Module):
    """A graph in the place of a network: pictures [N, 3, S, S] -> vectors [N, D], on the CPU."""

    def __init__(self, session: "InferenceSession") -> None:
        super().__init__()
        self._session = session
        (self._input,) = session.get_inputs()

    @property
    def side_px(self) -> int | None:
        """What the graph asks for, where it asks for one."""
        side = self._input.shape[-1]
        return side if isinstance(side, int) else None

    def forward(self, pictures: Float[Tensor, "N 3 S S"]) -> Float[Tensor, "N D"]:
        """What onnxruntime makes of them, in one thread."""
        (vectors,) = self._session.run(None, {self._input.name: pictures.contiguous().numpy()})
        return torch.from_numpy(vectors)


def opened_graph(path: Path) -> tuple[GraphNetwork, str]:
    """The graph of a file, and the name that it bears.

    Raises:
        WeightsError: it is damaged or incomplete, does not turn pictures into vectors, or gives
            other vectors on this processor than where it was made.
    """
    _refuse_parts(path)
    try:
        session = one_thread_session(path)
    except Exception as error:  # onnxruntime's errors have no family
        raise WeightsError(
            f"{path} is no ONNX file that onnxruntime opens ({type(error).__name__}); make or "
            "fetch it again"
        ) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0].shape) != 4:
        raise WeightsError(
            f"{path} takes {_shapes(inputs)} and gives {_shapes(outputs)}; an encoder takes "
            "pictures [N, 3, S, S] and gives vectors [N, D]"
        )
    graph = GraphNetwork(session)
    told = json.loads(session.get_modelmeta().custom_metadata_map.get(META, "{}"))
    if told:
        _refuse_other_processor(path, graph, np.asarray(told["gave"], np.float32))
    return graph, told.get("name", path.stem)


def probe(side_px: int) -> Float[Tensor, "1 3 S S"]:
    """The picture that a file is tried on: the same everywhere."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 8, 8), np.float32))
    grain = torch.from_numpy(rng.random((1, 3, side_px, side_px), np.float32))
    smooth = nn.functional.interpolate(coarse, (side_px, side_px), mode="bilinear")
    return 0.8 * smooth + 0.2 * grain


def sign(path: Path, name: str, facts: dict[str, Any]) -> None:
    """Write into a graph's file its name, what is known of it, and what it gives of the probe."""
    import onnx

    graph = GraphNetwork(one_thread_session(path))
    assert graph.side_px is not None  # noqa: S101 (as it was written)
    gave = [float(f"{value:.6g}") for value in graph(probe(graph.side_px))[0].tolist()]
    made = onnx.load(str(path))
    entry = made.metadata_props.add()
    entry.key, entry.value = META, json.dumps({"name": name, **facts, "gave": gave})
    onnx.save(made, str(path))


def _refuse_parts(path: Path) -> None:
    """A checksum of the file stands for its weights; those of other files it would not know."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import uses_external_data

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except (DecodeError, OSError) as error:
        raise WeightsError(f"{path} is no ONNX file ({error}); make or fetch it again") from error
    if any(uses_external_data(tensor) for tensor in graph.initializer):
        raise WeightsError(
            f"{path} keeps weights in other files; save it as one (onnx.save without external data)"
        )


def _refuse_other_processor(
    path: Path, graph: GraphNetwork, gave: Float32[np.ndarray, " D"]
) -> None:
    found = graph(probe(graph.side_px or 224))[0].numpy()
    cosine = float(found @ gave / max(float(np.linalg.norm(found) * np.linalg.norm(gave)), 1e-12))
    if not cosine >= SAME:
        raise WeightsError(
            f"{path} gives other vectors on this processor than where it was made (cosine "
            f"{cosine:.4f}): products of eight bits overflow where there is no VNNI; use the "
            "network itself here, or make the file on this processor"
        )


def _shapes(values: Any) -> str:  # noqa: ANN401 (onnxruntime's, without types)
    return ", ".join(f"{value.name} {value.shape}" for value in values) or "nothing"
