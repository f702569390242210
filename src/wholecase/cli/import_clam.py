"""`wholecase import-clam`: a colleague's checkpoint as a run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import Overrides


def import_clam(
    weights: Annotated[Path, Parameter(help="a state dict of the public CLAM implementation")],
    *overrides: Overrides,
    out: Annotated[Path, Parameter(help="folder of the run")],
    classes: Annotated[str, Parameter(help="names of the classes, separated by commas")] = "",
) -> None:
    """Turn a CLAM checkpoint into a run that predicts and explains.

    The file does not tell what made its features: name encoder and cut as they were, such as
    encoder.weights=resnet50.safetensors cut.spacing_um=0.5.
    """
    from wholecase.experiment import import_clam as write_run

    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    folder = write_run(weights, out, classes=names, overrides=overrides)
    print(f"{folder.root} predicts and explains: wholecase predict {folder.root} slide.svs")
