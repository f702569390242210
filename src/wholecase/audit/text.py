"""An audit as text for a terminal: what there is, then what to mend."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from wholecase.audit.check import Audit
from wholecase.audit.counts import Count, SpacingCount
from wholecase.audit.findings import Finding

SHOWN = 5
"""Findings of one sort that are written out; the rest are counted."""


def render_text(audit: Audit) -> str:
    """The whole audit in aligned lines, ending with a newline."""
    return "\n".join([str(audit.path), *_counts(audit.counts), *_spacings(audit.spacings),
                      *_findings(audit.findings)]) + "\n"  # fmt: skip


def _counts(counts: Sequence[Count]) -> Iterator[str]:
    for what, group in groupby(counts, key=lambda count: count.what):
        rows = [(c.value, str(c.cases), str(c.patients), str(c.images)) for c in group]
        if what == "site" and [row[0] for row in rows] == ["(none)"]:
            continue
        yield ""
        yield from _aligned([(what, "cases", "patients", "images"), *rows])


def _spacings(spacings: Sequence[SpacingCount]) -> Iterator[str]:
    rows = [
        (f"{s.um:g} from {s.rung}" if s.um is not None else "unknown", str(s.images))
        for s in spacings
    ]
    yield ""
    yield from _aligned([("spacing in µm/px", "images"), *rows])


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield ""
    if not findings:
        yield "No problem found."
        return
    ordered = sorted(findings, key=lambda f: (f.severity, f.problem))
    for (severity, problem), group in groupby(ordered, key=lambda f: (f.severity, f.problem)):
        found = list(group)
        yield f"{severity}: {problem} ({len(found)})"
        for finding in found[:SHOWN]:
            loss = "" if finding.costs == "nothing" else f" [costs the {finding.costs}]"
            yield f"  {finding.where}: {finding.what}{loss}"
        if len(found) > SHOWN:
            yield f"  and {len(found) - SHOWN} more"
    errors = sum(finding.severity == "error" for finding in findings)
    yield ""
    yield f"Errors: {errors}, warnings: {len(findings) - errors}."


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows with the first column to the left and numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for name, *numbers in rows:
        cells = [n.rjust(width) for n, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *cells])
