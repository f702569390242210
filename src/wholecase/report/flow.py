"""From the cohort to the judged cases: who came in, who fell out where and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from wholecase.report.records import Exclusion
from wholecase.report.run_record import Run
from wholecase.report.wording import count

STAGES: dict[str, str] = {
    "label": "No usable label",
    "open": "File could not be opened",
    "spacing": "Physical scale missing or implausible",
    "tissue": "No tissue found",
    "read": "Pixels could not be read",
    "encode": "No features could be made",
    "killed": "The process at work was killed",
}
"""What each stage of `exclusions.csv` means, in the order of the work."""


@dataclass(frozen=True)
class Step:
    """A box of the flow."""

    name: str
    cases: int
    details: tuple[str, ...]


@dataclass(frozen=True)
class Loss:
    """What one stage and reason cost: cases, and images of lost and of other cases."""

    stage: str
    reason: str
    cases: int
    images: int


@dataclass(frozen=True)
class Mix:
    """Used cases by label (rows) and site (columns)."""

    sites: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...], int, int], ...]
    """Label, cases per site, cases in all, patients in all."""
    totals: tuple[int, ...]
    cases: int
    patients: int


def steps(run: Run) -> list[Step]:
    """The boxes of the flow: in, used, judged."""
    cohort: Mapping[str, Any] = run.facts.get("cohort") or {}
    boxes = []
    unlabelled = {e.case for e in run.exclusions if e.stage == "label"}
    if unlabelled and "cases" in cohort:
        text = f"{len(unlabelled)} without a usable label"
        boxes.append(Step("In the manifest", int(cohort["cases"]) + len(unlabelled), (text,)))
    if "cases" in cohort:
        nouns = [("patients", "patient"), ("images", "image")]
        details = tuple(count(int(cohort[k]), noun) for k, noun in nouns if k in cohort)
        boxes.append(Step("In the cohort", int(cohort["cases"]), details))
    if run.cases:
        boxes.append(Step("Used", len(run.cases), _used(run)))
    judged = (count(len({p.patient for p in run.predictions}), "patient"),)
    boxes.append(Step("Judged", len(run.predictions), judged))
    return boxes


def _used(run: Run) -> tuple[str, ...]:
    images, regions = (sum(getattr(c, k) for c in run.cases) for k in ("images", "instances"))
    counts = count(len({case.patient for case in run.cases}), "patient"), count(images, "image")
    # an image that is not cut is its own region: said once
    return counts if regions == images else (*counts, count(regions, "region"))


def losses(run: Run) -> list[Loss]:
    """Exclusions by stage and reason, in the order of the work."""
    order = list(STAGES)
    keys = Counter((e.stage, _general(e.reason, e.path, e.case)) for e in run.exclusions)
    found = []
    for stage, reason in keys:
        own = [
            e
            for e in run.exclusions
            if (e.stage, _general(e.reason, e.path, e.case)) == (stage, reason)
        ]
        lost = {e.case for e in own if e.costs == "case"}
        images = len({e.path for e in own if e.path})
        found.append(Loss(STAGES.get(stage, stage), reason, len(lost), images))
    place = {STAGES.get(stage, stage): i for i, stage in enumerate(order)}
    return sorted(found, key=lambda loss: (place.get(loss.stage, len(order)), loss.reason))


def exclusions(run: Run) -> list[Exclusion]:
    """Every exclusion, its file told once, from the cohort's folder on: where that lies is not."""
    home = PurePath(str((run.facts.get("cohort") or {}).get("path") or "")).parent
    shown = []
    for e in run.exclusions:
        path = PurePath(e.path)
        near = path.relative_to(home) if path.is_relative_to(home) else path
        named = str(PurePath(*near.parts[-2:])) if near.is_absolute() else str(near)
        named = named if e.path else ""
        shown.append(replace(e, path=named, reason=_general(e.reason, e.path, e.case)))
    return shown


def _general(reason: str, path: str, case: str) -> str:
    """The reason without the names of the one image and case, so that like reasons add up."""
    for name, word in ((path, "the file"), (path.rsplit("/", 1)[-1], "the file"), (case, "it")):
        if len(name) > 3:
            reason = reason.replace(repr(name), word).replace(name, word)
    return reason[:1].upper() + reason[1:]


def mix(run: Run) -> Mix:
    """Used cases by label and site; one nameless column where no site is known."""
    sites = tuple(sorted({case.site for case in run.cases}))
    labels = [name for name in run.classes if any(c.label == name for c in run.cases)]
    labels += sorted({case.label for case in run.cases} - set(labels))
    cells = Counter((case.label, case.site) for case in run.cases)
    rows = []
    for label in labels:
        own = tuple(cells[label, site] for site in sites)
        patients = len({case.patient for case in run.cases if case.label == label})
        rows.append((label, own, sum(own), patients))
    return Mix(
        sites=sites,
        rows=tuple(rows),
        totals=tuple(sum(row[1][i] for row in rows) for i in range(len(sites))),
        cases=len(run.cases),
        patients=len({case.patient for case in run.cases}),
    )
