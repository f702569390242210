"""What is wrong with single images: they do not open, or their spacing does not serve."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from wholecase.audit.findings import Costs, Finding
from wholecase.audit.look import Look


def image_findings(looks: Sequence[Look], asked_spacing_um: float | None) -> Iterator[Finding]:
    """One finding per image that cannot be used, then those about spacing and masks."""
    faults = [(look, *fault) for look in looks if (fault := _fault(look, asked_spacing_um))]
    lost = Counter(look.case.id for look, _, _ in faults)
    for look, problem, what in faults:
        costs: Costs = "case" if lost[look.case.id] == len(look.case.images) else "image"
        yield Finding("error", look.where, what, costs, problem)
    if asked_spacing_um is None:
        yield from _slides_without_spacing(looks)
    yield from _missing_masks(looks)


def _fault(look: Look, asked_spacing_um: float | None) -> tuple[str, str] | None:
    """The problem and its sentence where an image cannot be used."""
    if look.trouble is not None:
        return _sort_of(look), look.trouble
    # numpy and the readers of slides come with them
    from wholecase.instances.cuts import is_taken_whole
    from wholecase.instances.grid import MOST_UPSAMPLING

    if asked_spacing_um is None or is_taken_whole(look.image.kind, look.image.mpp):
        return None
    if look.spacing_um is None:
        return "no spacing", _no_spacing(look)
    if look.spacing_um <= asked_spacing_um * (1 + MOST_UPSAMPLING) + 1e-9:
        return None
    return "too coarse", (
        f"{look.image.path}: {look.spacing_um:g} µm/px (from {look.rung}) is too coarse for the "
        f"{asked_spacing_um:g} asked; leave the image out, ask for a coarser spacing, or correct "
        "the column 'mpp'"
    )


def _sort_of(look: Look) -> str:
    path = look.image.path
    if not path.exists():
        return "missing file"
    return "empty file" if path.is_file() and path.stat().st_size == 0 else "unreadable image"


def _no_spacing(look: Look) -> str:
    return f"{look.image.path}: {look.rung}; give µm per pixel in the column 'mpp'"


def _slides_without_spacing(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        if look.image.kind == "slide" and look.trouble is None and look.spacing_um is None:
            yield Finding("warning", look.where, _no_spacing(look), "nothing", "no spacing")


def _missing_masks(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        if look.image.mask and not look.image.mask.is_file():
            what = f"{look.image.mask}: no such file; correct the column 'mask' or leave it empty"
            yield Finding("warning", look.where, what, "nothing", "missing mask")
