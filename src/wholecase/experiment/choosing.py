"""What a fold chooses on its inner patients, by models that did not learn from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wholecase.answer import FoldModel, judge
from wholecase.core.files import write_json
from wholecase.evaluation import ThresholdChoice
from wholecase.experiment.fold_job import FoldJob
from wholecase.models import CaseModel, load_model
from wholecase.runs import read_rows, write_rows
from wholecase.training import Choices, Inner, choose, choose_head


def choose_in(job: FoldJob) -> None:
    """Write `inner.csv` and `choices.json` of a fold that has learnt."""
    models = [_chooser(job, number) for number in range(len(job.parts))]

    def inner() -> Inner:
        return _inner(job, models)

    of_head = choose_head([model.head for model in models], inner)
    rules, asked = job.recipe.choose, inner()
    choices = choose(asked, threshold=rules.threshold, calibration=rules.calibration, seed=job.seed)
    _write_inner(job, asked, choices)
    kept = [row["epoch"] for row in read_rows(job.folder.history) if row["best"] == "1"]
    facts: dict[str, Any] = {
        "key": job.chosen,
        "epoch": int(kept[-1]),
        "threshold": choices.threshold,
        "threshold_rule": rules.threshold if choices.threshold is not None else None,
        "temperature": choices.temperature,
        **({"shift": list(choices.shift)} if choices.shift else {}),
        "inner_cases": len(asked.cases),
        "inner_patients": len(set(asked.patients)),
        **_of_head(of_head, models[0]),
        **(_worth(choices.worth) if choices.worth else {}),
        **_refit(job),
    }
    write_json(job.folder.choices, facts)  # last: says that the fold is ready


def _chooser(job: FoldJob, number: int) -> CaseModel:
    """The model that never learnt from the inner patients of a part."""
    model = job.fresh_model(job.parts[number].train)
    load_model(job.folder.first(number) if job.again else job.folder.model, model)
    return model.to(job.device)


def _refit(job: FoldJob) -> dict[str, Any]:
    """How many taught the model that answers."""
    if not job.again:
        return {}
    return {
        "refit_cases": len(job.again),
        "refit_patients": len({case.patient for case in job.again}),
        **({"inner_folds": len(job.inner)} if job.inner else {}),
    }


def _of_head(chosen: dict[str, Any], model: CaseModel) -> dict[str, Any]:
    """What the head chose, and from what."""
    if not chosen:
        return {}
    tried = {name: list(values) for name, values in model.head.candidates().items()}
    return {"head": chosen, "head_tried": tried}


def _worth(worth: ThresholdChoice) -> dict[str, Any]:
    """What one half would have given, and how far redraws of the patients move the threshold."""
    facts = {k: v for k, v in worth.to_json().items() if k != "value"}
    return {f"threshold_{name}": value for name, value in facts.items()}


def _inner(job: FoldJob, models: Sequence[CaseModel]) -> Inner:
    """What each part's model says of its inner patients, one part after the other."""
    cases = [case for part in job.parts for case in part.valid]
    rows = []
    for part, model in zip(job.parts, models, strict=True):
        member = FoldModel(part.number, job.recipe, model)
        said = judge([member], part.valid, job.extraction, evidence="none")
        rows += [one.raw for (one,) in said]
    truth = np.array([case.target for case in cases], dtype=np.int64)
    return Inner(job.parts, tuple(case.id for case in cases), truth, np.stack(rows))


def _write_inner(job: FoldJob, inner: Inner, choices: Choices) -> None:
    """What the choices were made on, to the last digit: the rule, applied again, agrees."""
    named = [f"probability_{name}" for name in job.classes]
    calibrated = choices.calibrated(inner.probabilities).tolist()
    parts = [number for number, part in enumerate(job.parts) for _ in part.valid]
    rows = [
        {
            "case_id": case,
            "patient_id": patient,
            "label": job.classes[target],
            **dict(zip(named, map(repr, shares), strict=True)),
        }
        for case, patient, target, shares in zip(
            inner.cases, inner.patients, inner.truth.tolist(), calibrated, strict=True
        )
    ]
    columns = ["case_id", "patient_id", "label", *named]
    if job.inner:  # which of the first models was asked
        rows = [row | {"part": part} for row, part in zip(rows, parts, strict=True)]
        columns.append("part")
    write_rows(job.folder.inner, columns, rows)
