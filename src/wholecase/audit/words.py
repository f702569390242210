"""The sentences of an audit, the same on the terminal and on the page."""

from collections.abc import Iterator
from itertools import groupby

from wholecase.audit.check import Audit
from wholecase.audit.counts import PowerCount, SliceCount, SpacingCount
from wholecase.audit.findings import Finding


def number_of(n: int, noun: str) -> str:
    """A number of things.

    >>> number_of(1, "case"), number_of(4433, "image")
    ('1 case', '4433 images')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def verdict(audit: Audit) -> str:
    """Whether a run would start, in one sentence."""
    stopping = sum(finding.costs == "run" for finding in audit.findings)
    if stopping:
        return f"A run would not start: {number_of(stopping, 'error')} must be mended first."
    if audit.losses.images and audit.losses.images == audit.counts[0].images:
        return "A run would not start: none of its images can be used."
    if audit.losses.images:
        return "A run would start, and leave out what cannot be used."
    return "A run would start, and every image could be opened."


def labels_of(audit: Audit) -> list[str]:
    """The labels that the sides of a splits file hold."""
    return sorted({label for side in audit.sides for label in side.by_label})


def losses(audit: Audit) -> str:
    """What a run would leave out and why, in one sentence; empty where nothing is."""
    lost = audit.losses
    if not lost.images:
        return ""
    cases = f" and {number_of(lost.cases, 'case')}" if lost.cases else ", and no case"
    why = ", ".join(f"{problem} {images}" for problem, images in lost.reasons)
    return f"A run would lose {number_of(lost.images, 'image')}{cases}: {why}."


def likeness(audit: Audit) -> str:
    """How many images show the same, in one sentence."""
    alike = audit.alike
    if alike.too_many:
        return (
            f"{number_of(alike.too_many, 'picture')} are too many to compare all with all: equal "
            "pixels were looked for, copies that were turned or encoded anew were not."
        )
    if not alike.compared:
        return "No image could be compared with others."
    compared = f"{number_of(alike.compared, 'image')} compared"
    phrases = [
        f"{number_of(sum(map(len, groups)), 'file')} in {number_of(len(groups), 'group')} {where}"
        for groups, where in ((alike.across, "across patients"), (alike.within, "within a patient"))
        if groups
    ]
    if not phrases:
        return f"{compared}, no two different files show the same picture."
    return f"{compared}: the same picture is in {' and in '.join(phrases)}."


def spacing(row: SpacingCount) -> str:
    """A spacing and where it was found."""
    return "unknown" if row.um is None else f"{row.um:g} from {row.rung}"


def slices(row: SliceCount) -> str:
    """How many slices a series has, and how far apart they lie.

    >>> slices(SliceCount(26, 5000.0, 3)), slices(SliceCount(9, None, 1))
    ('26, 5 mm apart', '9')
    """
    return (
        str(row.slices) if row.step_um is None else f"{row.slices}, {row.step_um / 1000:g} mm apart"
    )


def knows_powers(audit: Audit) -> bool:
    """Whether the magnification of an image is known."""
    return any(row.power is not None for row in audit.powers)


def power(row: PowerCount) -> str:
    """A magnification and where it was found."""
    if row.power is None:
        return "unknown"
    return f"{row.power:g}x from {'manifest' if row.is_given else 'spacing'}"


def power_name(power: float | None) -> str:
    """A magnification as the head of a column.

    >>> power_name(40.0), power_name(None)
    ('40x', 'unknown')
    """
    return "unknown" if power is None else f"{power:g}x"


def counted_for(what: str) -> str:
    """What images by magnification are counted for.

    >>> counted_for("all"), counted_for("fold"), counted_for("tumor_type")
    ('images', 'images by test fold', 'images by tumor_type')
    """
    return {"all": "images", "fold": "images by test fold"}.get(what, f"images by {what}")


def kinds_of_finding(audit: Audit) -> Iterator[tuple[str, str, list[Finding]]]:
    """Severity, problem and its findings: errors first, then by problem."""
    ordered = sorted(audit.findings, key=lambda finding: finding.place)
    for _, group in groupby(ordered, key=lambda finding: finding.place):
        found = list(group)
        yield found[0].severity, found[0].problem, found
