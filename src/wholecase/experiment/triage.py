"""A triaged cohort as people use it: slides by risk, and what could be set aside."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer.slide_map import RISK_MM2
from wholecase.answer.trained import TrainedRun
from wholecase.answer.triage import Triaged, TriageSettings
from wholecase.answer.windows import threshold_of
from wholecase.cohort import Case
from wholecase.core.files import write_json
from wholecase.evaluation import Scores, measure
from wholecase.evaluation.triage import SetAside, set_asides
from wholecase.runs import read_rows, write_rows

COLUMNS = (
    *("rank", "case_id", "patient_id", "path", "risk", "tumour_mm2", "tissue_mm2"),
    *("tumour_share", "windows", "reason"),
)
OPTIMISTIC = (
    "The cutoffs were chosen on the very cases that they are judged on, which flatters them; what "
    "is told as held out uses for each patient the cutoff that all other patients would give."
)


def write_triage(out: Path, told: Sequence[Triaged]) -> None:
    """Write `triage.csv`: slides by falling risk, then those that could not be judged."""
    write_rows(out / "triage.csv", COLUMNS, [_row(rank, one) for rank, one in _ranked(told)])


def triage_metrics(
    trained: TrainedRun, told: Sequence[Triaged], settings: TriageSettings, note: str = ""
) -> dict[str, Any]:
    """The content of `triage.json`: settings, counts and, for labelled new cases, what is spared.

    A case's risk is the highest of its slides'. Patients that the run knows are left out, and
    cases of which a slide could not be judged: somebody has to look at those anyway. `note` goes
    before the notes on that.
    """
    risks, notes = _new_cases(trained, told)
    notes = [*([note] if note else []), *notes]
    facts: dict[str, Any] = {
        "run": str(trained.folder.root),
        "positive": trained.classes[1],
        "settings": {
            "side_px": settings.at.side_px,
            "spacing_um": settings.at.spacing_um,
            "stride_px": settings.stride_px,
            "threshold": threshold_of(trained),
            "risk": f"highest mean probability of any square of {RISK_MM2:g} mm2",
        },
        "slides": len(told),
        "not_judged": sum(one.map is None for one in told),
    }
    measured = _measured(trained, risks) if risks else {}
    if measured:
        notes.append(OPTIMISTIC)
    return facts | measured | {"notes": notes}


def write_metrics(out: Path, metrics: Mapping[str, Any]) -> None:
    """Write `triage.json`."""
    write_json(out / "triage.json", metrics)


def _ranked(told: Sequence[Triaged]) -> Iterator[tuple[int | None, Triaged]]:
    judged = [one for one in told if one.map is not None]
    # stable: equal risks keep the manifest's order
    judged.sort(key=lambda one: -(one.map.risk if one.map else 0.0))
    yield from enumerate(judged, start=1)
    yield from ((None, one) for one in told if one.map is None)


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
    }


def _new_cases(
    trained: TrainedRun, told: Sequence[Triaged]
) -> tuple[list[tuple[Case, float]], list[str]]:
    """Labelled cases with their risk, and notes on those that are missing."""
    known = {row["patient_id"] for row in read_rows(trained.folder.splits)}
    labelled = {one.case.id: one.case for one in told if one.case.target is not None}
    seen = {name for name, case in labelled.items() if case.patient in known}
    unread = {one.case.id for one in told if one.map is None} & set(labelled) - seen
    notes = []
    if seen:
        notes.append(
            f"{len(seen)} labelled cases belong to patients of the run and are left out of the "
            "metrics."
        )
    if unread:
        notes.append(
            f"{len(unread)} labelled cases have a slide that could not be judged and are left out "
            "of the metrics; look at them."
        )
    risks: dict[str, float] = {}
    for one in told:
        if one.map is not None and one.case.id in labelled.keys() - seen - unread:
            risks[one.case.id] = max(one.map.risk, risks.get(one.case.id, 0.0))
    return [(labelled[name], risk) for name, risk in risks.items()], notes


def _measured(trained: TrainedRun, risks: Sequence[tuple[Case, float]]) -> dict[str, Any]:
    seed, repeats = trained.recipe.protocol.seed, trained.recipe.evaluate.bootstrap
    truth = np.array([case.target for case, _ in risks], dtype=np.int64)
    risk = np.array([value for _, value in risks])
    patients = tuple(case.patient for case, _ in risks)
    scores = Scores(truth, np.stack([1 - risk, risk], 1), np.zeros_like(truth), patients)
    area = measure(scores, repeats=repeats, seed=seed)["auroc"]
    aside = set_asides(truth == 1, risk, patients, seed=seed, repeats=repeats)
    return {
        "cases": len(risks),
        "positive_cases": int(truth.sum()),
        "patients": len(set(patients)),
        "auroc": area.to_json(),
        "set_aside": [_told(one) for one in aside],
    }


def _told(one: SetAside) -> dict[str, Any]:
    return {
        "sensitivity": one.sensitivity,
        "cutoff": one.cutoff,
        "share": one.share.to_json(),
        "held_out_sensitivity": one.held_out_sensitivity.to_json(),
        "held_out_share": one.held_out_share.to_json(),
    }
