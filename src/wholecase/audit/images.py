"""What is wrong with single images: they do not open, or their spacing does not serve."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.audit.findings import Costs, Finding
from wholecase.audit.indexed import file_of
from wholecase.audit.look import Look
from wholecase.audit.nearby import Spellings
from wholecase.core.regular import is_folder, is_there, why_irregular
from wholecase.instances.cuts import is_taken_whole
from wholecase.instances.grid import MOST_UPSAMPLING


@dataclass(frozen=True)
class Fault:
    """An image that a run would leave out."""

    look: Look
    problem: str
    """The sort of problem in a few words."""
    what: str
    """One sentence with the cure."""
    costs: Costs
    """`case` where no image of the case is left."""


@dataclass(frozen=True)
class Losses:
    """What a run would leave out."""

    images: int
    cases: int
    """Those without a usable image; their images are counted too."""
    reasons: tuple[tuple[str, int], ...]
    """Problem and images, the commonest first."""


def faults_of(looks: Sequence[Look], asked_spacing_um: float | None) -> tuple[Fault, ...]:
    """The images that cannot be used, in the cohort's order."""
    spellings = Spellings()
    found = [
        (look, *fault) for look in looks if (fault := _fault(look, asked_spacing_um, spellings))
    ]
    lost = Counter(look.case.id for look, _, _ in found)

    def costs(look: Look) -> Costs:
        return "case" if lost[look.case.id] == len(look.case.images) else "image"

    return tuple(Fault(look, problem, what, costs(look)) for look, problem, what in found)


def losses_of(faults: Sequence[Fault]) -> Losses:
    """The faults summed up."""
    cases = {fault.look.case.id for fault in faults if fault.costs == "case"}
    reasons = Counter(fault.problem for fault in faults)
    return Losses(len(faults), len(cases), tuple(reasons.most_common()))


def image_findings(
    looks: Sequence[Look], faults: Sequence[Fault], asked_spacing_um: float | None
) -> Iterator[Finding]:
    """One finding per image that cannot be used, then those about spacing and files beside."""
    for fault in faults:
        yield Finding("error", fault.look.where, fault.what, fault.costs, fault.problem)
    if asked_spacing_um is None:
        yield from _slides_without_spacing(looks)
    yield from _left_aside(looks)
    yield from _remarked(looks)
    yield from _missing_beside(looks)


def _fault(
    look: Look, asked_spacing_um: float | None, spellings: Spellings
) -> tuple[str, str] | None:
    """The problem and its sentence where an image cannot be used."""
    sight = look.sight
    if sight.trouble is not None:
        return _sort_of(look), sight.trouble + _instead(file_of(look.image.path), spellings)
    if asked_spacing_um is None or is_taken_whole(look.image.kind, look.image.mpp):
        return None
    if sight.spacing_um is None:
        return "no spacing", _no_spacing(look)
    if sight.spacing_um <= asked_spacing_um * (1 + MOST_UPSAMPLING) + 1e-9:
        return None
    return "too coarse", (
        f"{look.image.path}: {sight.spacing_um:g} µm/px (from {sight.rung}) is too coarse for the "
        f"{asked_spacing_um:g} asked; leave the image out, ask for a coarser spacing, or correct "
        "the column 'mpp'"
    )


def _sort_of(look: Look) -> str:
    path = file_of(look.image.path)
    if look.sight.broke:
        return "image that breaks its reader"
    if look.sight.killed:
        return "image whose reader was killed"
    if why_irregular(path) and not is_folder(path):
        return "no file"
    if not is_there(path):
        return "missing file"
    return "empty file" if path.is_file() and path.stat().st_size == 0 else "unreadable image"


def _instead(path: Path, spellings: Spellings) -> str:
    if is_there(path) or (other := spellings.other(path)) is None:
        return ""
    return f" (there is {other.name!r}, spelt otherwise)"


def _no_spacing(look: Look) -> str:
    return f"{look.image.path}: {look.sight.rung}; give µm per pixel in the column 'mpp'"


def _slides_without_spacing(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        sight = look.sight
        if look.image.kind == "slide" and sight.trouble is None and sight.spacing_um is None:
            yield Finding("warning", look.where, _no_spacing(look), "nothing", "no spacing")


def _left_aside(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        for note in look.sight.notes if look.sight.trouble is None else ():
            what = f"{look.image.path}: {note}; look whether that is what you mean"
            yield Finding("warning", look.where, what, "nothing", "image read in part")


def _remarked(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        for remark in look.sight.remarks if look.sight.trouble is None else ():
            what = f"{look.image.path}: {remark}"
            yield Finding("remark", look.where, what, "nothing", "how an image is read")


def _missing_beside(looks: Iterable[Look]) -> Iterator[Finding]:
    for look in looks:
        for column in ("mask", "tissue"):
            path = getattr(look.image, column)
            if path is not None and (why_irregular(path) or not path.is_file()):
                what = f"{path}: no such file; correct the column {column!r} or leave it empty"
                yield Finding("warning", look.where, what, "nothing", f"missing {column}")
