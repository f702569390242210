"""Models as ONNX files that answer without torch and without this toolkit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.core.errors import RunError
from wholecase.core.exporting import one_thread_session, quiet
from wholecase.core.files import atomic
from wholecase.evaluation import apply_temperature
from wholecase.models.batch import Batch
from wholecase.models.case_model import CaseModel
from wholecase.models.graph import (
    BagGraph,
    Calibrated,
    MemoryGraph,
    PatchGraph,
    ScaledGraph,
    SeriesGraph,
    check_exportable,
    decides_each,
    scales_of,
)
from wholecase.models.heads.nearest_cases import Near, vote
from wholecase.models.inputs import Input, Window
from wholecase.models.predict import answers, each_told, predict

Graph = PatchGraph | BagGraph | SeriesGraph | ScaledGraph | MemoryGraph
PORTS: dict[type[Graph], tuple[tuple[str, ...], tuple[str, ...], str]] = {
    PatchGraph: (("pixels",), ("probabilities",), "N"),
    BagGraph: (("features",), ("probabilities", "weights"), "N"),
    SeriesGraph: (("slices",), ("probabilities", "slice_probabilities", "weights"), "T"),
    ScaledGraph: (("", "scale"), ("probabilities", "weights"), "N"),
    MemoryGraph: (("", "patient"), ("probabilities", "weights", "nearest", "distance"), "N"),
}
"""Names of what goes in (empty: pixels or features), comes out, and of the number that is free."""
OF_BAGS = BagGraph | ScaledGraph | MemoryGraph
CLOSE = 1e-5
"""The largest difference of a probability that is let through."""
FARTHEST = 2
"""Unit vectors are no farther apart."""
NOBODY = -1
"""The code of a patient of whom no case is remembered."""
COUNTS = (1, 2, 7)
"""Instances that the parity check asks about at once: N is free, and this shows it."""


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how it agrees with the models."""

    path: Path
    bytes: int
    difference: float
    """The largest between a probability of the file and of the models, over drawn inputs."""


def export_onnx(members: Sequence[Calibrated], path: Path, example: Tensor) -> Exported:
    """Write the mean of calibrated models as one ONNX graph, once it agrees with them to 1e-5.

    Models that decide each instance of pixels and pool the decisions become `slices` [T, C, H, W],
    one case -> `probabilities` [1, classes], `slice_probabilities` [T, classes] of each alone, and
    `weights` [T]. Other models with a backbone become `pixels` [N, C, H, W] -> `probabilities`
    [N, classes], each patch a case of its own. Models of stored features become `features` [N, D],
    one case -> `probabilities` [1, classes] and `weights` [N, branches]. Models that look at scales
    take one case either way, and its `scale` [N] beside it: views that a case lacks are not given.
    Models that remember their training cases carry them in the graph; they take one case either
    way, and the code of its `patient` [1] beside it, of whom no case votes (-1: nobody known), and
    tell of each of F models the codes of the `nearest` [F, k] cases, and their `distance` [F, k].
    N and T are free; the temperatures and the way from pixels to network input are in the graph.
    Static shapes and plain operations only, in single precision, for the CPU and beyond.

    Args:
        members: on the CPU; several give the mean of their calibrated probabilities.
        path: the file to write, whole or not at all.
        example: two instances at least, in the type that the file is to take: for pixels samples
            of their kind, or its numbers in floating point.

    Raises:
        RunError: the model cannot be written as a graph, or the graph does not agree.
    """
    pixels = example.dim() == 4
    check_exportable(members, pixels=pixels)
    for member in members:
        member.model.eval()
    scales = scales_of(members[0].model)
    graph: Graph = PatchGraph(members) if pixels else BagGraph(members)
    inputs: tuple[Tensor, ...] = (example,)
    if scales:
        graph = ScaledGraph(members)
        inputs = example, torch.full((len(example),), scales[0])
    elif members[0].model.head.remembers:
        graph = MemoryGraph(members)
        inputs = example, torch.tensor([NOBODY])
    elif decides_each(members):
        graph = SeriesGraph(members, example)
    with atomic(path) as neighbour:
        _write(graph.eval(), inputs, neighbour)
        difference = _difference(graph, members, neighbour, example)
        if not difference <= CLOSE:
            raise RunError(
                f"the exported graph differs from the model by {difference:.1e}, more than "
                f"{CLOSE:g}; {path.name} was not written"
            )
    return Exported(path, path.stat().st_size, difference)


def run_onnx(path: Path, values: np.ndarray, beside: np.ndarray | None = None) -> list[np.ndarray]:
    """The outputs of an ONNX file, on the CPU with one thread.

    Args:
        path: the file.
        values: pixels or features.
        beside: the scale of each, or the patient's code, where the file takes one.
    """
    session = one_thread_session(path)
    taken, given = session.get_inputs(), [values] if beside is None else [values, beside]
    inputs = {one.name: value for one, value in zip(taken, given, strict=True)}
    logits: list[np.ndarray] = session.run(None, inputs)
    return logits


def _write(graph: Graph, inputs: tuple[Tensor, ...], path: Path) -> None:
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    names, outputs, count = PORTS[type(graph)]
    free: Any = ({0: torch.export.Dim(count, min=1, max=2**24)},) * len(inputs)
    if isinstance(graph, MemoryGraph):
        free = free[0], None
    first = "pixels" if inputs[0].dim() == 4 else "features"
    try:
        # single bags are mapped over by rules that want no gradient
        with quiet(), torch.set_grad_enabled(isinstance(graph, OF_BAGS)):
            # a step of its own: it refuses what depends on N, where the next would fix N silently
            program = torch.export.export(graph, inputs, dynamic_shapes=free)
            made: Any = torch.onnx.export(
                program,
                input_names=[name or first for name in names],
                output_names=outputs,
                dynamo=True,
                verbose=False,
            )
        # notes of the exporter: paths of this machine, and more bytes than a small network
        ClearMetadataAndDocStringPass()(made.model)
        made.save(str(path), external_data=False)
    except Exception as error:  # exporters, and parts of others, raise whatever they like
        parts = ", ".join(_suspects(graph))
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RunError(
            f"a model with {parts} cannot be written as ONNX for any number of instances: {first}; "
            "all else of the run works without it"
        ) from error


def _suspects(graph: Graph) -> list[str]:
    """The parts that others made, or else what pools."""
    models = [model for model in graph.models if isinstance(model, CaseModel)]
    parts = [part for m in models for part in (m.backbone, m.pool, m.head) if part is not None]
    foreign = {type(p).__name__ for p in parts if not type(p).__module__.startswith("wholecase.")}
    return sorted(foreign or {type(m.pool).__name__ for m in models})


def _difference(graph: Graph, members: Sequence[Calibrated], path: Path, example: Tensor) -> float:
    generator = torch.Generator().manual_seed(0)
    worst, scales = 0.0, scales_of(members[0].model)
    for count in COUNTS:
        values = _drawn(members[0].model.input, example, count, generator)
        scale = None
        if scales:
            scale = torch.tensor(scales)[torch.randint(len(scales), (count,), generator=generator)]
        if isinstance(graph, MemoryGraph):
            worst = max(worst, _remembered_difference(members, path, values))
            continue
        told = run_onnx(path, values.numpy(), None if scale is None else scale.numpy())
        bounds = range(count + 1) if isinstance(graph, PatchGraph) else (0, count)
        expected = [_mean(members, values, bounds, scale)]
        if isinstance(graph, SeriesGraph):
            expected.append(_each(members, values))
        gaps = [np.abs(a - b).max() for a, b in zip(told, expected, strict=False)]
        worst = max(worst, *map(float, gaps))
    return worst


def _remembered_difference(members: Sequence[Calibrated], path: Path, values: Tensor) -> float:
    """Of one case of a stranger, and of it again as one of the patient who is nearest to it."""
    worst, patient = 0.0, torch.tensor([NOBODY])
    for _ in range(2):
        told, _, _, distance = run_onnx(path, values.numpy(), patient.numpy())
        rows, near = _remembered(members, values, patient)
        away = torch.cat([one.distance[:, : distance.shape[1]] for one in near]).detach().numpy()
        far = FARTHEST + 1  # in place of inf: a small memory may hold nobody else
        gaps = told - rows, np.minimum(distance, far) - np.minimum(away, far)
        worst = max(worst, *(float(np.abs(gap).max()) for gap in gaps))
        patient = near[0].patient[:, 0]
    return worst


def _remembered(
    members: Sequence[Calibrated], values: Tensor, patient: Int[Tensor, " 1"]
) -> tuple[Float[np.ndarray, "1 C"], list[Near]]:
    """What the models say of one case of a patient, and the cases that each heard."""
    batch = Batch(values, torch.tensor([0, len(values)]), ("",), ("",))
    rows, near = [], []
    for member in members:
        (answer,) = answers(member.model, [batch])
        found = member.model.head.nearest(answer.logits, patient)
        assert found is not None, "its head remembers"  # noqa: S101
        rows.append(
            apply_temperature(
                vote(found).detach().double().numpy(), member.temperature, member.shift
            )
        )
        near.append(found)
    return np.mean(rows, 0), near


def _drawn(seen: Input, example: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Inputs of the same kind: from dark to bright, from smooth to rough, so that answers vary."""
    kind = seen.kind
    shape = (count, *example.shape[1:])
    if example.dim() != 4:
        return torch.randn(shape, generator=generator)
    rough = torch.rand(shape, generator=generator)
    level, share = torch.rand(2, count, 1, 1, 1, generator=generator)
    light = level * (1 - share) + rough * share
    low, high = _reach(seen)
    numbers = low + light * (high - low)
    drawn: Tensor = numbers if example.is_floating_point() else numbers * kind.divisor
    return drawn.to(example.dtype)


def _reach(seen: Input) -> tuple[float, float]:
    """From dark to bright: twice the first window, where there is one."""
    if not isinstance(seen, Window):
        return seen.kind.low, seen.kind.high
    first = seen.windows[0] if seen.windows else (seen.centre or 0, seen.width or 0)
    centre, width = map(float, first)
    return centre - width, centre + width


def _each(members: Sequence[Calibrated], values: Tensor) -> Float[np.ndarray, "T C"]:
    """What the models say of each slice of one case."""
    batch = Batch(values, torch.tensor([0, len(values)]), ("",), ("",))
    rows = []
    for member in members:
        (answer,) = answers(member.model, [batch])
        told = each_told(member.model, answer, len(values))
        assert told is not None, "asked before"  # noqa: S101
        rows.append(
            apply_temperature(told.detach().double().numpy(), member.temperature, member.shift)
        )
    mean: Float[np.ndarray, "T C"] = np.mean(rows, 0)
    return mean


def _mean(
    members: Sequence[Calibrated],
    values: Tensor,
    bounds: Sequence[int],
    scale: Tensor | None = None,
) -> Float[np.ndarray, "M C"]:
    """What the models say of cases by themselves, the way `predict` puts them together."""
    names = tuple(str(i) for i in range(len(bounds) - 1))
    batch = Batch(values, torch.tensor(bounds), names, names, scale)
    rows = [apply_temperature(predict(m.model, [batch]), m.temperature, m.shift) for m in members]
    mean: Float[np.ndarray, "M C"] = np.mean(rows, 0)
    return mean
