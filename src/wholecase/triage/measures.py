"""What a triaged cohort's labels tell: how well risk ranks, and what could be set aside."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wholecase.answer.trained import TrainedRun
from wholecase.cohort import Case, likeness_key, some
from wholecase.evaluation import Scores, measure
from wholecase.runs import read_rows
from wholecase.triage.judging import Triaged, TriageSettings, counted_above
from wholecase.triage.set_aside import SENSITIVITIES, SetAside, set_asides
from wholecase.triage.slide_map import RISK_MM2

HAIR = 1e-9
OPTIMISTIC = (
    "The cutoffs were chosen on the very cases that they are judged on, which flatters them; what "
    "is told as held out uses for each patient the cutoff that all other patients would give."
)


def triage_metrics(
    trained: TrainedRun, slides: Sequence[Triaged], settings: TriageSettings, note: str = ""
) -> dict[str, Any]:
    """The content of `triage.json`: settings, counts and, for labelled new cases, what is spared.

    A case's risk is the highest of its slides'. Patients that the run knows are left out, and
    cases of which a slide could not be judged: somebody has to look at those anyway. `note` goes
    before the notes on that.
    """
    risks, notes = _new_cases(trained, slides)
    notes = [*([note] if note else []), *_doubtful(slides), *notes]
    facts: dict[str, Any] = {
        "run": str(trained.folder.root),
        "positive": trained.classes[1],
        "settings": {
            "side_px": settings.at.side_px,
            "spacing_um": settings.at.spacing_um,
            "stride_px": settings.stride_px,
            "threshold": counted_above(trained, settings),
            "risk": f"highest mean probability of any square of {RISK_MM2:g} mm2",
        },
        "slides": len(slides),
        "not_judged": sum(one.map is None for one in slides),
    }
    positives = sum(case.target == 1 for case, _ in risks)
    unknown = _cannot_tell(trained, len(risks), positives)
    if unknown:
        return facts | {"notes": [*notes, unknown]}
    return facts | _measured(trained, risks) | {"notes": [*notes, *_cautions(positives)]}


def _cannot_tell(trained: TrainedRun, cases: int, positives: int) -> str | None:
    """Why the labels tell nothing of the ranking, if so."""
    rest = "ranking cannot be measured, nor what could be set aside; risks and maps stand"
    if not cases:
        known = " and ".join(repr(name) for name in trained.classes)
        return f"No new case has a label that the run knows ({known}): {rest}."
    if positives in (0, cases):
        return f"All {cases} labelled new cases are {trained.classes[bool(positives)]!r}: {rest}."
    return None


def _doubtful(slides: Sequence[Triaged]) -> Iterator[str]:
    """Slides about which the run knows nothing."""
    names = [one.case.id for one in slides if one.map is not None and one.map.is_unlike]
    if names:
        yield (
            f"Most windows of {len(names)} slides are unlike the patches that the run learnt "
            f"from; trust no risk of theirs: {some(names)}."
        )


def _cautions(positives: int) -> Iterator[str]:
    yield OPTIMISTIC
    alike = [
        f"{100 * one:g}" for one in SENSITIVITIES if one < 1 and (1 - one) * positives < 1 - HAIR
    ]
    if alike:
        yield (
            f"One of {positives} positive cases is {100 / positives:.1f} % of them: "
            f"{' and '.join(alike)} % sensitivity allow no miss and are the same as 100 %."
        )


def _new_cases(
    trained: TrainedRun, slides: Sequence[Triaged]
) -> tuple[list[tuple[Case, float]], list[str]]:
    """Labelled cases with their risk, and notes on those that are missing."""
    rows = read_rows(trained.folder.splits)
    known = {likeness_key(row["patient_id"]) for row in rows}
    copied = {one.case.id for one in slides if one.seen}
    labelled = {one.case.id: one.case for one in slides if one.case.target is not None}
    seen = {
        name
        for name, case in labelled.items()
        if name in copied or likeness_key(case.patient) in known
    }
    unread = {one.case.id for one in slides if one.map is None} & set(labelled) - seen
    notes = []
    if seen:
        notes.append(
            f"{len(seen)} labelled cases belong to patients of the run, or are slides that it "
            "learnt from, and are left out of the metrics."
        )
    if unread:
        notes.append(
            f"{len(unread)} labelled cases have a slide that could not be judged and are left out "
            "of the metrics; look at them."
        )
    risks: dict[str, float] = {}
    for one in slides:
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
