"""`wholecase features`: encoders of the field, and feature files of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from wholecase.cli.options import CohortFile, Device, Overrides, StoreFolder, Workers

if TYPE_CHECKING:
    from wholecase.features import ForeignFeatures

features = App(name="features", help="List the encoders of the field, or look into feature files.")


@features.command
def encoders() -> None:
    """List what `encoder=NAME` may say, with size, scale, licence and where weights come from."""
    from wholecase.encoders import FIELD
    from wholecase.weights import PACKAGES

    print(_row("name", "width", "px", "µm/px", "licence", "weights"))
    for name, entry in FIELD.items():
        scale = ", ".join(f"{um:g}" for um in entry.spacing_um) or "not told"
        place = entry.hub or "from its authors"
        where = place if entry.supported else "not supported, see below"
        print(_row(name, str(entry.width), str(entry.side_px), scale, entry.license, where))
    print()
    print("Also: colour (no weights), resnet50, onnx (a file), any network of timm by its name,")
    print("paired (of several), and stored.")
    for name, known in PACKAGES.items():
        network, terms = known.sidecar.name, known.sidecar.license
        print(f"Of a package: {network} with encoder.weights=package:{name} ({terms}, ImageNet).")
    print("Licences are notes: read the model card before use.")
    for name, entry in FIELD.items():
        if entry.refused:
            print(f"{name}: {entry.refused}.")


@features.command
def show(
    *files: Annotated[Path, Parameter(help=".h5 or .pt files of CLAM, TRIDENT, STAMP")],
) -> int:
    """Look into feature files: who wrote them, with which encoder, at which scale, placed how."""
    from wholecase.core.errors import SourceError
    from wholecase.features import doubt, mixture, read_foreign

    bad, known = 0, []
    for file in files:
        try:
            read = read_foreign(file)
        except SourceError as error:
            bad += 1
            print(f"out: {error}")
            continue
        known.append((file, read.origin))
        print(f"{file}: {', '.join(_described(read))}")
    if known and (why := mixture(known) or doubt(known)):
        print(why)
    return 1 if bad else 0


@features.command(name="quantise")
def quantised(
    recipe: Annotated[str, Parameter(help="a built-in recipe or a YAML file")],
    *overrides: Overrides,
    cohort: CohortFile,
    out: Annotated[Path, Parameter(help=".onnx file to write")],
) -> None:
    """Write a recipe's encoder in eight bits, its ranges set on instances of a cohort.

    Labels are not looked at. Layers are spared, the first ones first, until the vectors of other
    instances are close to exact ones; where they never are, nothing is written.
    """
    from wholecase.assemble import plan_of
    from wholecase.cohort import read_cohort
    from wholecase.core.errors import RecipeError
    from wholecase.extract import quantise
    from wholecase.recipes import read_recipe

    if out.suffix != ".onnx":
        raise RecipeError(f"--out names a file that ends in .onnx, not {out.name!r}")
    plan = plan_of(read_recipe(recipe, overrides), out.parent)
    made = quantise(read_cohort(cohort, None), plan, out)
    spared = f"{made.spared} layers spared" if made.spared else "no layer spared"
    print(f"{out}: {made.bytes:,} bytes, {spared}")
    print(made.fidelity.told)
    print(f"{made.faster:.1f} times the pictures per CPU second of the exact network here")
    print(f"use it with encoder='{{name: onnx, weights: {out}}}'; compare a run of each")


@features.command
def trial(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *overrides: Overrides,
    cases: Annotated[int, Parameter(help="test cases that are encoded anew")] = 40,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> None:
    """Tell what another engine or file of a run's encoder does to its answers, before it is used.

    Test cases of the run are encoded so and judged by the models that never saw their patients.
    What is found stays with the run, and `predict --weights FILE.onnx` may then use that file.
    """
    from wholecase.assemble import place_of
    from wholecase.core.errors import RecipeError
    from wholecase.experiment import try_features

    if cases < 1 or not overrides:
        raise RecipeError("name another encoder, such as encoder.engine=bf16, and some cases")
    found = try_features(run, overrides, cases, place_of(device, workers), store)
    print(f"{found.identity}: {found.told}")


def _described(read: "ForeignFeatures") -> list[str]:
    import numpy as np

    bag, origin = read.bag, read.origin
    sides = "" if origin.patch_px is None else f" of {origin.patch_px:g} px"
    return [
        read.tool,
        origin.encoder or "encoder not told",
        f"{len(bag)} tiles of {read.width} numbers",
        f"seen at {origin.scale}{sides}" if origin.scale else "scale not told",
        "not placed in µm" if np.isnan(bag.position_um).any() else "placed in µm",
        "boxes in px" if (bag.box_px[:, 2:] > 0).all() else "no boxes in px",
        *(f"{problem}: {figures}" for problem, figures in read.numbers.remarks()),
    ]


def _row(name: str, width: str, side: str, scale: str, terms: str, place: str) -> str:
    return f"{name:15} {width:>5} {side:>4}  {scale:17} {terms:35} {place}".rstrip()
