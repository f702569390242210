"""A run's answers about new cases: tables, metrics, heatmaps."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer import CaseAnswer, TrainedRun, heat, save_picture
from wholecase.assemble import labels_of
from wholecase.cohort import Case, read_cohort
from wholecase.core.errors import RunError
from wholecase.core.files import safe_name, write_text
from wholecase.evaluation import Scores, measure
from wholecase.explain import Evidence, attention_geojson, read_evidence
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, read_rows, write_rows
from wholecase.sources import open_source


def write_answers(path: Path, answers: Sequence[CaseAnswer], classes: Sequence[str]) -> None:
    """Write predictions of new cases; `spread` is the fold models' standard deviation."""
    named = [f"probability_{name}" for name in classes]
    columns = ["case_id", "patient_id", "label", *named, "decision", "spread"]
    rows = [
        {
            "case_id": answer.case.id,
            "patient_id": answer.case.patient,
            "label": _label(answer.case, classes),
            **dict(zip(named, (f"{p:.8f}" for p in answer.probabilities), strict=True)),
            "decision": classes[answer.decision],
            "spread": f"{answer.spread:.8f}",
        }
        for answer in answers
    ]
    write_rows(path, columns, rows)


def _label(case: Case, classes: Sequence[str]) -> str | None:
    return case.label if case.target is None else classes[case.target]


def external_metrics(
    trained: TrainedRun, answers: Sequence[CaseAnswer]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Metrics over labelled cases of patients that the run never saw, and notes on them."""
    labelled = [answer for answer in answers if answer.case.target is not None]
    known = {row["patient_id"] for row in read_rows(trained.folder.splits)}
    new = [answer for answer in labelled if answer.case.patient not in known]
    notes = []
    if seen := len(labelled) - len(new):
        notes.append(
            f"{seen} labelled cases belong to patients of the run and are left out of the metrics."
        )
    if not new:
        return {}, notes
    scores = Scores(
        truth=np.array([answer.case.target for answer in new], dtype=np.int64),
        probabilities=np.stack([answer.probabilities for answer in new]),
        decision=np.array([answer.decision for answer in new], dtype=np.int64),
        patients=tuple(answer.case.patient for answer in new),
    )
    evaluate = trained.recipe.evaluate
    told = measure(scores, repeats=evaluate.bootstrap, seed=trained.recipe.protocol.seed)
    return {name: interval.to_json() for name, interval in told.items()}, notes


def stored_answer(root: Path, case: str) -> tuple[Case, Evidence]:
    """A case of the run with the evidence of the fold model that never saw its patient.

    Raises:
        RunError: the run has no such case, or its evidence is gone.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    recipe = read_recipe(str(folder.recipe))
    cohort = read_cohort(Path(facts["cohort"]["path"]), labels_of(recipe))
    for candidate in cohort.cases:
        if candidate.id == case:
            return candidate.judged, read_evidence(folder.evidence(case))
    raise RunError(f"{root} has no case {case!r}; its cases are listed in {folder.cases}")


def draw_answer(
    case: Case, evidence: Evidence, out: Path, *, scale: str, longest_px: int
) -> Iterator[Path]:
    """Per image of the case a heatmap, its tiles for QuPath, and a table of them with weights."""
    for number, image in enumerate(case.images):
        here = evidence.of_image(number)
        if not len(here.weights):
            continue
        name = safe_name(f"{case.id}-{number}" if len(case.images) > 1 else case.id)
        if image.kind != "features":  # of which there is nothing to draw
            with open_source(image.path, image.kind, image.mpp) as source:
                painted = heat(source, here, longest_px=longest_px, scale=scale)
            save_picture(out / f"{name}-heatmap.png", painted)
            yield out / f"{name}-heatmap.png"
        write_text(out / f"{name}-attention.geojson", attention_geojson(here, scale=scale))
        yield out / f"{name}-attention.geojson"
        _write_instances(out / f"{name}-instances.csv", here)
        yield out / f"{name}-instances.csv"


def _write_instances(path: Path, evidence: Evidence) -> None:
    weights = evidence.weights.mean(1)
    said = evidence.logits
    logits = [f"evidence_{c}" for c in range(said.shape[1])] if said.shape[1] > 1 else ["evidence"]
    lines = [",".join(["x_px,y_px,width_px,height_px,weight", *logits[: said.shape[1]]])]
    for i in np.argsort(-weights, kind="stable"):
        cells = [*(str(v) for v in evidence.box_px[i].tolist()), f"{weights[i]:.8g}"]
        lines.append(",".join([*cells, *(f"{value:.8g}" for value in said[i])]))
    write_text(path, "\n".join(lines) + "\n")
