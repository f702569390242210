"""A triaged cohort as people use it: slides by risk."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wholecase.core.files import write_json
from wholecase.runs import write_rows
from wholecase.triage.judging import Triaged

COLUMNS = (
    *("rank", "case_id", "patient_id", "path", "risk", "tumour_mm2", "tissue_mm2"),
    *("tumour_share", "windows", "unlike_share", "unlike", "seen", "reason"),
)


def write_triage(out: Path, slides: Sequence[Triaged]) -> None:
    """Write `triage.csv`: slides by falling risk, then those that could not be judged."""
    write_rows(out / "triage.csv", COLUMNS, [_row(rank, one) for rank, one in ranked(slides)])


def write_metrics(out: Path, metrics: Mapping[str, Any]) -> None:
    """Write `triage.json`."""
    write_json(out / "triage.json", metrics)


def ranked(slides: Sequence[Triaged]) -> Iterator[tuple[int | None, Triaged]]:
    """Judged slides by falling risk, from 1; then those that could not be judged, without rank."""
    judged = [one for one in slides if one.map is not None]
    # stable: equal risks keep the manifest's order
    judged.sort(key=lambda one: -(one.map.risk if one.map else 0.0))
    yield from enumerate(judged, start=1)
    yield from ((None, one) for one in slides if one.map is None)


def _row(rank: int | None, one: Triaged) -> dict[str, object]:
    row: dict[str, object] = {
        "rank": rank,
        "case_id": one.case.id,
        "patient_id": one.case.patient,
        "path": one.image.path,
        "reason": one.reason,
    }
    if one.map is None:
        return row
    tumour, tissue = one.map.tumour_mm2, one.map.tissue_mm2
    return row | {
        "risk": f"{one.map.risk:.6f}",
        "tumour_mm2": f"{tumour:.6f}",
        "tissue_mm2": f"{tissue:.6f}",
        "tumour_share": f"{tumour / tissue:.6f}",
        "windows": one.map.windows,
        "unlike_share": f"{one.map.unlike_share:.6f}",
        "unlike": int(one.map.is_unlike),
        "seen": one.seen,
    }
