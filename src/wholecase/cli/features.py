"""`wholecase features`: encoders of the field, and feature files of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

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
    print("Also: colour (no weights), resnet50, any network of timm by its name, and stored.")
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
