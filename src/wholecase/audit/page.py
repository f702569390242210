"""An audit as one self-contained page, with the pictures that look the same side by side."""

import base64
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from wholecase.audit import words
from wholecase.audit.check import Audit
from wholecase.audit.counts import Count
from wholecase.audit.look import Look
from wholecase.audit.strips import strip_of
from wholecase.audit.terms import TERMS
from wholecase.core.errors import SourceError
from wholecase.core.files import write_text
from wholecase.core.pages import environment
from wholecase.sources import as_picture, open_source, thumbnail

SHOWN_GROUPS = 24
"""Groups of same pictures that are shown; the table lists all."""
SHOWN_SERIES = 24
"""Series whose slices are shown, those of each label in turn."""
SHOWN_EACH = 4
"""Pictures of a group that are shown."""
PICTURE_PX = 220


def write_page(audit: Audit, path: Path) -> Path:
    """Write the page and return its path; it needs no network and no JavaScript."""
    write_text(path, page(audit))
    return path


def page(audit: Audit) -> str:
    """The page as text."""
    counts = [(what, list(rows)) for what, rows in groupby(audit.counts, key=lambda c: c.what)]
    total = audit.counts[0] if audit.counts else None
    severities = Counter(finding.severity for finding in audit.findings)
    text = (
        environment("wholecase.audit")
        .get_template("check.html.j2")
        .render(
            audit=audit,
            title=audit.path.resolve().parent.name or audit.path.name,
            words=words,
            terms=TERMS,
            total=total,
            errors=severities["error"],
            warnings=severities["warning"],
            counts=[(what, rows) for what, rows in counts if _worth_telling(what, rows)],
            scales=[(what, list(g)) for what, g in groupby(audit.scales.rows, lambda r: r.what)],
            kinds=list(words.kinds_of_finding(audit)),
            groups=[_shown(group) for group in audit.alike.across[:SHOWN_GROUPS]],
            strips=[(look, _as_address(strip_of, look)) for look in _in_turn(audit.series)],
            more_series=max(0, len(audit.series) - SHOWN_SERIES),
            more_groups=max(0, len(audit.alike.across) - SHOWN_GROUPS),
        )
    )
    return text + "\n"


def _worth_telling(what: str, rows: Sequence[Count]) -> bool:
    return what != "all" and (what != "site" or [row.value for row in rows] != ["(none)"])


def _shown(group: tuple[Look, ...]) -> dict[str, object]:
    """One picture of every patient first, then others, up to a bound."""
    first = {look.case.patient: look for look in reversed(group)}.values()
    ordered = [*reversed(first), *(look for look in group if look not in first)]
    return {
        "pictures": [(look, _as_address(_picture, look)) for look in ordered[:SHOWN_EACH]],
        "more": max(0, len(group) - SHOWN_EACH),
    }


def _in_turn(series: Sequence[Look]) -> list[Look]:
    """One of each label, then the next of each, up to a bound."""
    seen: Counter[str | None] = Counter()
    ranked = []
    for look in series:
        ranked.append((seen[look.case.label], look))
        seen[look.case.label] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [look for _, look in ranked[:SHOWN_SERIES]]


def _picture(look: Look) -> UInt8[np.ndarray, "H W 3"]:
    image = look.image
    with open_source(image.path, image.kind, image.mpp, image.window) as source:
        return as_picture(thumbnail(source, PICTURE_PX).pixels, source.kind)


def _as_address(draw: Callable[[Look], UInt8[np.ndarray, "H W 3"]], look: Look) -> str | None:
    """What is drawn, as a JPEG in a data address; None where the image is gone meanwhile."""
    try:
        pixels = draw(look)
    except SourceError:
        return None
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
