"""An audit as text for a terminal: what there is, then what to mend."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from wholecase.audit import words
from wholecase.audit.check import Audit
from wholecase.audit.counts import Count
from wholecase.core.visible import visible

SHOWN = 5
"""Findings of one sort that are written out; the rest are counted."""


def render_text(audit: Audit) -> str:
    """The whole audit in aligned lines, ending with a newline."""
    lines = [str(audit.path), *_counts(audit.counts), *_lists(audit), *_findings(audit)]
    return visible("\n".join(lines)) + "\n"


def _counts(counts: Sequence[Count]) -> Iterator[str]:
    for what, group in groupby(counts, key=lambda count: count.what):
        rows = [(c.value, str(c.cases), str(c.patients), str(c.images)) for c in group]
        if what == "site" and [row[0] for row in rows] == ["(none)"]:
            continue
        yield ""
        yield from aligned([(what, "cases", "patients", "images"), *rows])


def _lists(audit: Audit) -> Iterator[str]:
    spacings = [(words.spacing(row), str(row.images)) for row in audit.spacings]
    yield ""
    yield from aligned([("spacing in µm/px", "images"), *spacings])
    if audit.slices:
        counted = [(words.slices(row), str(row.series)) for row in audit.slices]
        yield ""
        yield from aligned([("slices", "series"), *counted])
    if words.knows_powers(audit):
        rows = [(words.power(row), str(row.cases), str(row.images)) for row in audit.powers]
        yield ""
        yield from aligned([("magnification", "cases", "images"), *rows])
    yield from _scales(audit)
    yield from _sides(audit)
    yield ""
    yield words.likeness(audit)


def _scales(audit: Audit) -> Iterator[str]:
    """Images by magnification, for every class, further label and fold."""
    powers = [words.power_name(power) for power in audit.scales.powers]
    for what, group in groupby(audit.scales.rows, key=lambda row: row.what):
        rows = [(r.value, *map(str, (r.patients, r.complete, *r.images))) for r in group]
        yield ""
        yield from aligned([(words.counted_for(what), "patients", "with all", *powers), *rows])


def _sides(audit: Audit) -> Iterator[str]:
    """Cases and patients of each side of a splits file, by label."""
    labels = words.labels_of(audit)
    rows = [
        (
            f"{s.fold} {s.side}",
            *map(str, (s.cases, s.patients, *(s.by_label.get(n, 0) for n in labels))),
        )
        for s in audit.sides
    ]
    if rows:
        yield ""
        yield from aligned([("fold and side", "cases", "patients", *labels), *rows])


def _findings(audit: Audit) -> Iterator[str]:
    yield ""
    if not audit.findings:
        yield "No problem found."
        return
    for severity, problem, found in words.kinds_of_finding(audit):
        yield f"{severity}: {problem} ({len(found)})"
        for finding in found[:SHOWN]:
            loss = "" if finding.costs == "nothing" else f" [costs the {finding.costs}]"
            yield f"  {finding.where}: {finding.what}{loss}"
        if len(found) > SHOWN:
            yield f"  and {len(found) - SHOWN} more"
    counts = Counter(finding.severity for finding in audit.findings)
    remarks = f", remarks: {counts['remark']}" if counts["remark"] else ""
    yield ""
    yield f"{words.verdict(audit)} {words.losses(audit)}".rstrip()
    yield f"Errors: {counts['error']}, warnings: {counts['warning']}{remarks}."


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with the first column to the left and numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for name, *numbers in rows:
        cells = [n.rjust(width) for n, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *cells])
