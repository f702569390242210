"""What `--json` of each command tells; the keys stand in docs/guides/scripts.md."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wholecase.answer import Judgement
    from wholecase.audit import Audit
    from wholecase.experiment import Asked
    from wholecase.report import Comparison, Pair


def of_audit(audit: "Audit") -> dict[str, Any]:
    """What a cohort holds and what is wrong with it."""
    from wholecase.audit import verdict

    losses = audit.losses
    return {
        "cohort": audit.path,
        "failed": audit.failed,
        "verdict": verdict(audit),
        "counts": audit.counts,
        "spacings": audit.spacings,
        "sides": audit.sides,
        "losses": {
            "images": losses.images,
            "cases": losses.cases,
            "reasons": [{"problem": problem, "images": n} for problem, n in losses.reasons],
        },
        "findings": audit.findings,
    }


def of_answers(asked: "Asked", judgements: "Sequence[Judgement]") -> dict[str, Any]:
    """A run's answers about new cases, and the images that could not be asked about."""
    return {
        "classes": asked.trained.classes,
        "predictions": [_prediction(one) for one in judgements],
        "failures": [
            {"case_id": one.case, "path": one.path, "stage": one.stage, "reason": one.reason}
            for one in asked.failures
        ],
    }


def _prediction(one: "Judgement") -> dict[str, Any]:
    novelty = one.novelty
    return {
        "case_id": one.case.id,
        "patient_id": one.case.patient,
        "label": one.case.label,
        "probabilities": one.shares,
        "decision": one.label,
        "spread": one.spread,
        "distance_percentile": None if novelty is None else novelty.percentile,
        "unlike": None if novelty is None else bool(novelty.is_unlike),
        "seen": one.seen or None,
    }


def of_comparison(told: "Comparison") -> dict[str, Any]:
    """How runs differ, pair by pair and all together."""
    overlap = told.overlap
    return {
        "runs": [{"name": run.name, "folder": run.folder.root} for run in told.runs],
        "marks": told.marks,
        "pairs": [_pair(pair) for pair in told.pairs],
        "overlap": {
            "agreement": overlap.agreement,
            "disagreement": overlap.disagreement,
            "oracle": overlap.oracle,
        },
        "disputed": [_disputed(told, number) for number in told.disputed],
    }


def _pair(pair: "Pair") -> dict[str, Any]:
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "differences": pair.differences,
        "accuracy": pair.accuracy,
        "area": pair.area,
        "over": pair.over,
        "folds": pair.folds,
        "wrong": {"cases": pair.overlap.cases, "patients": pair.overlap.patients},
    }


def _disputed(told: "Comparison", number: int) -> dict[str, Any]:
    row = told.runs[0].rows[number]
    return {
        **{name: row[name] for name in ("case_id", "patient_id", "label")},
        "said": [
            {
                "run": run.name,
                "decision": run.rows[number]["decision"],
                "probability": run.scores.probabilities[number, run.scores.decision[number]],
            }
            for run in told.runs
        ],
    }
