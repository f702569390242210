"""`wholecase export`: a run's models as one file that answers without this toolkit."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wholecase.core.errors import RunError

if TYPE_CHECKING:
    import numpy as np

    from wholecase.answer import TrainedRun
    from wholecase.core.kinds import PixelKind

PATIENT = {
    "name": "patient",
    "type": "int64",
    "shape": [1],
    "meaning": "of the patient's id the first 7 bytes of its SHA-256, big end first, once capitals "
    "are small, leading zeros of numbers gone and spaces trimmed; -1 for somebody new",
}
"""No remembered case of this patient votes."""


def export(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *,
    onnx: Annotated[Path, Parameter(help=".onnx file to write; a .json file is put beside it")],
    fold: Annotated[int | None, Parameter(help="one fold's model, not the mean of all")] = None,
    int8: Annotated[
        Path | None,
        Parameter(
            help=".npy of uint8 patches, as they will come: also write .int8.onnx; its ranges are "
            "set on one half, what it costs is measured on the other"
        ),
    ] = None,
) -> None:
    """Write the mean of the fold models' calibrated probabilities as one ONNX graph.

    The graph is compared with the models before it is written. A run on pixels takes patches, each
    a case of its own; where it decides each slice and pools them (`decide: instance`), all slices
    of one patient, and tells each slice's probability as well; a run on stored features takes the
    features of one case; a run that tells magnifications apart takes one case and the scale of each
    instance; a run that compares cases takes one case and who its patient is, since no case of the
    same patient votes. The JSON file tells classes, threshold, input and spacing, and how far each
    file is from the models.
    """
    import torch

    from wholecase.answer import load_run
    from wholecase.core.files import write_json
    from wholecase.models import Calibrated, export_onnx, quantise
    from wholecase.models.graph import scales_of

    if onnx.suffix != ".onnx":
        raise RunError(f"--onnx names a file that ends in .onnx, not {onnx.name!r}")
    trained, numbers = _of_fold(load_run(run, "cpu"), fold)
    members = [Calibrated(m.model, m.choices.temperature, m.choices.shift) for m in trained.members]
    shape = _shape(trained)
    scales = scales_of(members[0].model)
    pixels = len(shape) == 3 and not _is_series(trained) and not _remembers(trained)
    if int8 is not None and (not pixels or scales or _kind(trained).dtype != "uint8"):
        raise RunError(
            "eight bits are for runs on patches of eight bits and one scale, each a case of its "
            "own; leave out --int8"
        )
    patches = None if int8 is None else _patches(int8, shape, _loaded(int8))
    dtype = getattr(torch, _dtype(trained))
    made = export_onnx(members, onnx, torch.zeros((2, *shape), dtype=dtype))
    print(f"{onnx}: {made.bytes:,} bytes, within {made.difference:.1e} of the models")
    for note in _notes(trained):
        print(f"note: {note}")
    facts = {
        **_facts(trained, shape, scales),
        "folds": numbers,
        "temperatures": [member.temperature for member in members],
        "shifts": [member.shift for member in members],
        "threshold": trained.threshold,
        "files": {onnx.name: _file(onnx, difference=made.difference)},
    }
    if patches is not None:
        small = onnx.with_suffix(".int8.onnx")
        cost = quantise(onnx, small, patches)
        print(
            f"{small}: {cost.bytes:,} bytes; on {cost.patches} patches its probabilities differ "
            f"by {cost.mean:.4f} on average and {cost.largest:.4f} at most"
        )
        facts["files"][small.name] = _file(
            small, difference=cost.largest, mean=cost.mean, held_back=cost.patches
        )
    write_json(onnx.with_suffix(".json"), facts)
    print(onnx.with_suffix(".json"))


def _of_fold(trained: "TrainedRun", fold: int | None) -> "tuple[TrainedRun, list[int]]":
    """The run with the models that are wanted, and of which folds they are."""
    there = [member.fold for member in trained.members]
    if trained.weights is not None:
        raise RunError(
            f"the members of {trained.folder.root} count differently, and a graph takes their "
            "mean; vote again with --weights equal"
        )
    if fold is None:
        return trained, there
    if fold not in there:
        listed = ", ".join(map(str, dict.fromkeys(there)))
        raise RunError(f"{trained.folder.root} has no fold {fold}; it has {listed}")
    chosen = tuple(member for member in trained.members if member.fold == fold)
    return replace(trained, members=chosen), [fold] * len(chosen)


def _shape(trained: "TrainedRun") -> tuple[int, ...]:
    """Of one instance: channels, rows and columns of pixels, or the width of features."""
    from wholecase.assemble import cut_of

    width = int(trained.encoder["width"])
    if trained.recipe.model.backbone is None:
        return (width,)
    side = int(cut_of(trained.recipe).settings["side_px"])
    return (width, side, side)


def _kind(trained: "TrainedRun") -> "PixelKind":
    return trained.members[0].model.input.kind


def _is_series(trained: "TrainedRun") -> bool:
    """Whether the graph takes all slices of a patient."""
    from wholecase.models.graph import scales_of

    section = trained.recipe.model
    return (
        section.backbone is not None
        and section.decide == "instance"
        and not scales_of(trained.members[0].model)
        and not _remembers(trained)
    )


def _remembers(trained: "TrainedRun") -> bool:
    """Whether the graph holds cases and takes a patient."""
    return trained.members[0].model.head.remembers


def _notes(trained: "TrainedRun") -> list[str]:
    """What whoever gives the file away, or compares it with `predict`, has to know."""
    from wholecase.answer import gallery_notes

    notes = []
    if _remembers(trained):
        notes.append(
            "the file holds the vector, the label and coded ids of each case that votes: whoever "
            "has a list of ids can find out which are in it, so treat it as patient data"
        )
        notes += gallery_notes(trained.folder)
    if trained.recipe.views is not None:
        notes.append(
            f"`predict` means over several views of a case (views: {trained.recipe.views.name}); "
            "the graph answers about what it is given, once"
        )
    return notes


def _dtype(trained: "TrainedRun") -> str:
    """Of what goes in: samples of patches; of slices in a unit the numbers themselves."""
    kind = _kind(trained)
    is_number = trained.recipe.model.backbone is None or (_is_series(trained) and kind.unit)
    return "float32" if is_number else kind.dtype


def _meaning(kind: "PixelKind") -> str:
    if kind.name == "ct":
        return "Hounsfield units as they are: window and z-score are in the graph"
    numbers = f"samples of kind {kind.name}, {kind.unit or 'light'} = sample / {kind.divisor:g}"
    return "RGB from 0 to 255" if kind.name == "rgb" else numbers


def _facts(trained: "TrainedRun", shape: tuple[int, ...], scales: list[float]) -> dict[str, Any]:
    """What whoever runs the file has to know."""
    from wholecase.core.version import VERSION

    facts = trained.folder.read_facts()
    return {
        "schema": 1,
        "wholecase": VERSION,
        "recipe": facts["recipe"],
        "title": facts["title"],
        "classes": list(trained.classes),
        "decide": "the second class where its probability is above `threshold`; the most probable "
        "where there is no threshold",
        **_ports(trained, shape, scales),
        "notes": _notes(trained),
        "encoder": trained.encoder if trained.recipe.model.backbone is None else None,
        "cut": facts.get("cut"),
        "spacing_um": (facts.get("instance") or {}).get("spacing_um"),
        "trained_on": {key: (facts.get("cohort") or {}).get(key) for key in ("digest", "cases")},
    }


def _ports(trained: "TrainedRun", shape: tuple[int, ...], scales: list[float]) -> dict[str, Any]:
    """What goes in and what comes out."""
    name, outputs = "features", ["probabilities", "weights"]
    meaning, count = "the N feature vectors of one case", "N"
    if _is_series(trained):
        name, count = "slices", "T"
        outputs = ["probabilities", "slice_probabilities", "weights"]
        meaning = f"all T slices of one patient, in their order, {_meaning(_kind(trained))}"
    elif len(shape) == 3:
        name, outputs = "pixels", ["probabilities"]
        meaning = f"N patches, {_meaning(_kind(trained))}, each a case of its own"
    beside = patient = None
    if scales:
        outputs = ["probabilities", "weights"]
        beside = {"name": "scale", "type": "float32", "shape": ["N"], "known": scales}
        what = _meaning(_kind(trained)) if len(shape) == 3 else "feature vectors"
        meaning = f"N views of one case, {what}; a scale of which there is none is not given"
    if _remembers(trained):
        what = _meaning(_kind(trained)) if len(shape) == 3 else "feature vectors"
        outputs = ["probabilities", "weights", "nearest", "distance"]
        meaning, patient = f"N instances of one case, {what}", PATIENT
    given = {"name": name, "type": _dtype(trained), "shape": [count, *shape], "meaning": meaning}
    return {"input": given, "scale": beside, "patient": patient, "outputs": outputs}


def _file(path: Path, **facts: float | int) -> dict[str, Any]:
    from wholecase.core.digest import file_digest

    return {"digest": file_digest(path), "bytes": path.stat().st_size, **facts}


def _loaded(path: Path) -> "np.ndarray":
    from numpy.lib.format import open_memmap

    try:
        return open_memmap(path, mode="r")
    except FileNotFoundError:
        raise RunError(f"{path}: no such file; --int8 needs a .npy file of patches") from None
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path} is no .npy file of one array of numbers; write it with numpy.save"
        ) from error


def _patches(path: Path, shape: tuple[int, ...], given: "np.ndarray") -> "np.ndarray":
    """uint8 [M, C, H, W]; the order [M, H, W, C] of pictures is taken too."""
    from wholecase.models.quantise import check_count

    fits = given.dtype.name == "uint8" and given.ndim == 4
    if fits:
        check_count(len(given))
    if fits and given.shape[1:] == shape:
        return given[:]
    if fits and given.shape[1:] == (*shape[1:], shape[0]):
        return given.transpose(0, 3, 1, 2).copy()
    raise RunError(
        f"{path} holds {given.dtype} {list(given.shape)}; --int8 needs uint8 patches "
        f"[M, {', '.join(map(str, shape))}]"
    )
