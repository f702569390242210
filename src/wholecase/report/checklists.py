"""A reporting guideline, filled with what a run knows; the rest is the author's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.core.files import write_text
from wholecase.core.lookup import nearest
from wholecase.report import flow, verdict
from wholecase.report.checklist_items import CHECKLISTS
from wholecase.report.read import read_run
from wholecase.report.run_record import Run
from wholecase.report.terms import METRIC_NAMES, metric_name
from wholecase.report.wording import count, interval, listed, number, reach
from wholecase.runs import RunFolder

BLANK = "*for the author*"


def write_checklist(root: Path, name: str) -> Path:
    """Write `checklist-<name>.md` of a finished run and return its path.

    Raises:
        RunError: the run is not finished, or no such checklist is known.
    """
    if name not in CHECKLISTS:
        raise RunError(f"no checklist is called {name!r}{nearest(name, CHECKLISTS)}")
    path = RunFolder(root).root / f"checklist-{name}.md"
    write_text(path, checklist(read_run(root), name))
    return path


def checklist(run: Run, name: str) -> str:
    """The checklist as Markdown: every item, answered where the run knows something of it."""
    title, items = CHECKLISTS[name]
    answers = [(n, asked, ANSWERS[key](run) if key else "") for n, asked, key in items]
    filled = sum(bool(answer) for *_, answer in answers)
    rows = [f"| {n} | {asked} | {answer or BLANK} |" for n, asked, answer in answers]
    head = (
        f"# {title} · {verdict.title(run)}\n\n{filled} of {len(items)} items are filled with what "
        "the run knows; read them, add what only you know, and fill the others. The items are told "
        "in short: the guideline itself counts.\n\n| item | asked | answer |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _of(run: Run, name: str) -> dict[str, Any]:
    part = run.facts.get(name)
    return dict(part) if isinstance(part, dict) else {}


def _setting(run: Run, name: str) -> str:
    """A part of the recipe on one line, by its dotted name; empty where there is none."""
    from wholecase.recipes import parse_yaml

    value: Any = parse_yaml(run.recipe, "recipe.yaml") if run.recipe else None
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value in (None, {}, []) else f"{name} {_line(value)}"


def _line(value: object) -> str:
    if isinstance(value, dict):
        told = [f"{k}: {_line(v)}" for k, v in value.items() if v is not None]
        return f"{{{', '.join(told)}}}"
    return f"[{', '.join(map(_line, value))}]" if isinstance(value, list) else str(value)


def _data(run: Run) -> str:
    cohort = _of(run, "cohort")
    told = f"{count(int(cohort.get('patients') or 0), 'patient')}, "
    told += f"{count(int(cohort.get('cases') or 0), 'case')}, "
    told += f"{count(int(cohort.get('images') or 0), 'image')}"
    return f"{told}; manifest digest `{cohort.get('digest', '')}`. Where they come from: {BLANK}"


def _sites(run: Run) -> str:
    sites = _of(run, "cohort").get("sites") or {}
    return f"Cases by site: {', '.join(f'{k} {v}' for k, v in sites.items())}" if sites else ""


def _losses(run: Run) -> str:
    told = [
        f"{one.reason}: {count(one.cases, 'case')}, {count(one.images, 'image')}"
        for one in flow.losses(run)
    ]
    return f"Left out by the run: {'; '.join(told)}" if told else "The run left out nothing"


def _preparation(run: Run) -> str:
    return f"`{_setting(run, 'cut')}`; encoder `{_of(run, 'encoder').get('identity')}`"


def _labels(run: Run) -> str:
    return f"Classes: {listed(run.classes)}. How the labels were made: {BLANK}"


def _predictors(run: Run) -> str:
    columns = _setting(run, "cohort.covariates")
    return f"The images{f', and `{columns}`' if columns else ' alone'}"


def _size(run: Run) -> str:
    auroc = run.pooled.get("auroc")
    told = f"{count(len({p.patient for p in run.predictions}), 'patient')} were judged"
    if auroc is not None and auroc.low is not None and auroc.high is not None:
        told += f"; the AUROC's half-width is {number((auroc.high - auroc.low) / 2, 3)}"
    return f"{told} (`wholecase plan` tells how many a narrower one takes)"


def _protocol(run: Run) -> str:
    return " ".join(line for line in verdict.reading(run) if "old" in line and "patient" in line)


def _disjoint(run: Run) -> str:
    of_sides = next((one for one in run.checks if one.code == "WC001"), None)
    by = "Images, not patients" if run.is_by_image else "Patients"
    return f"{by}. {of_sides.sentence if of_sides else ''}".strip()


def _model(run: Run) -> str:
    parts = [_setting(run, f"model.{key}") for key in ("backbone", "aggregator", "head")]
    told = "; ".join(f"`{part}`" for part in parts if part)
    return f"{told}; in full in `recipe.yaml` (`wholecase recipes show`)"


def _model_files(run: Run) -> str:
    return f"`folds/N/model.safetensors` of {count(len(run.folds), 'fold')}, `recipe.yaml`"


def _beginning(run: Run) -> str:
    return f"Seed {run.facts.get('seed')}; encoder `{_of(run, 'encoder').get('identity')}`"


def _training(run: Run) -> str:
    keys = ("epochs", "optimizer", "schedule", "early_stop", "augment")
    parts = [_setting(run, f"train.{key}") for key in keys] + [_setting(run, "batches")]
    told = "; ".join(f"`{part}`" for part in parts if part)
    return f"{told}; {count(len(run.folds), 'fold')}"


def _choices(run: Run) -> str:
    epochs = sorted(
        int(f.choices["epoch"]) for f in run.folds if f.choices.get("epoch") is not None
    )
    kept = f"epochs {epochs[0]} to {epochs[-1]} were kept; " if epochs else ""
    return f"On inner patients of each fold: {kept}{_threshold(run)}"


def _threshold(run: Run) -> str:
    found = [fold.threshold for fold in run.folds if fold.threshold is not None]
    rules = sorted({str(f.choices.get("threshold_rule") or "") for f in run.folds} - {""})
    if not found:
        return "calibrated probabilities; the most probable class is decided for"
    return f"calibrated probabilities; thresholds {reach(found)} by {', '.join(rules)}"


def _measures(run: Run) -> str:
    return listed(tuple(metric_name(n) for n in METRIC_NAMES if n in run.pooled))


def _uncertainty(run: Run) -> str:
    del run
    return (
        "95 % intervals by patient, by 2,000 redraws within folds or by formula where patients are "
        "few; a permutation test of the AUROC; paired intervals for comparisons"
    )


def _calibration(run: Run) -> str:
    scaled = [float(f.choices["temperature"]) for f in run.folds if f.choices.get("temperature")]
    slope = run.pooled.get("calibration_slope")
    told = f"Temperature scaling on inner patients ({reach(scaled)})" if scaled else "None"
    moved = [fold.shift[1] - fold.shift[0] for fold in run.folds if len(fold.shift) == 2]
    if moved:
        told += f", log odds moved by {reach(moved)}"
    if slope is not None and slope.value is not None:
        told += f"; slope afterwards {number(slope.value)} ({interval(slope) or 'no interval'})"
    return told


def _imbalance(run: Run) -> str:
    by_label = _of(run, "cohort").get("by_label") or {}
    told = ", ".join(f"{k} {v}" for k, v in by_label.items())
    batches = _setting(run, "batches")
    return f"Cases by class: {told}; `{batches}`" if told else ""


def _subgroups(run: Run) -> str:
    told = []
    for column, groups in run.subgroups.items():
        values = [
            f"{g.value} {number(g.metrics['auroc'].value)} ({interval(g.metrics['auroc'])})"
            for g in groups
            if "auroc" in g.metrics and g.metrics["auroc"].value is not None
        ]
        if values:
            told.append(f"AUROC by {column}: {', '.join(values)}")
    return "; ".join(told)


def _flow(run: Run) -> str:
    return " → ".join(f"{one.name}: {count(one.cases, 'case')}" for one in flow.steps(run))


def _mix(run: Run) -> str:
    mix = flow.mix(run)
    told = "; ".join(
        f"{row[0]}: {count(row[2], 'case')}, {count(row[3], 'patient')}" for row in mix.rows
    )
    return f"{told}. Age, sex and the like: {BLANK}"


def _events(run: Run) -> str:
    told = []
    for fold in run.folds:
        sides = ", ".join(f"{side} {n}" for side, n in fold.patients.items())
        told.append(f"fold {fold.number}: {sides}")
    return f"Patients, {'; '.join(told)}" if told else ""


def _performance(run: Run) -> str:
    shown = [(n, run.pooled[n]) for n in METRIC_NAMES if n in run.pooled]
    told = [
        f"{metric_name(n)} {number(one.value)} ({interval(one) or 'no interval'})"
        for n, one in shown
        if one.value is not None
    ]
    return f"{'; '.join(told)}; on test patients of every fold"


def _ensemble(run: Run) -> str:
    if run.vote is not None:
        return "Soft votes of runs, admitted by rule on inner patients"
    return "None where patients are judged; fold models vote on new patients"


def _robustness(run: Run) -> str:
    spread = run.repeats.get("auroc")
    if spread is not None:
        return f"Repeats with other seeds: AUROC {number(spread.low)} to {number(spread.high)}"
    over = run.spread.get("auroc")
    return f"AUROC over folds: {number(over[0])} ± {number(over[1])}" if over else ""


def _evidence(run: Run) -> str:
    found = run.pooled.get("localisation_auc")
    told = "Weights or Grad-CAM of every judged case, in the report"
    if found is not None and found.value is not None:
        told += f"; against marked regions: AUROC {number(found.value)} ({interval(found)})"
    return told


def _failures(run: Run) -> str:
    wrong = [p for p in run.predictions if p.is_wrong]
    named = ", ".join(p.case for p in wrong[:10])
    more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
    return f"{count(len(wrong), 'case')} decided wrongly{f': {named}{more}' if wrong else ''}"


def _checks(run: Run) -> str:
    told = [f"{one.code} ({one.title}: not so)" for one in run.checks if one.state == "failed"]
    found = f"Checks that fail: {', '.join(told)}. " if told else ""
    return f"{found}Further limitations: {BLANK}"


def _code(run: Run) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in _of(run, "versions").items())
    return f"wholecase {run.facts.get('wholecase')}; {versions}"


ANSWERS: dict[str, Callable[[Run], str]] = {
    "data": _data,
    "sites": _sites,
    "losses": _losses,
    "preparation": _preparation,
    "labels": _labels,
    "predictors": _predictors,
    "size": _size,
    "protocol": _protocol,
    "disjoint": _disjoint,
    "model": _model,
    "model_files": _model_files,
    "beginning": _beginning,
    "training": _training,
    "choices": _choices,
    "threshold": _threshold,
    "measures": _measures,
    "uncertainty": _uncertainty,
    "calibration": _calibration,
    "imbalance": _imbalance,
    "subgroups": _subgroups,
    "flow": _flow,
    "mix": _mix,
    "events": _events,
    "performance": _performance,
    "ensemble": _ensemble,
    "robustness": _robustness,
    "evidence": _evidence,
    "failures": _failures,
    "checks": _checks,
    "code": _code,
}
"""By the word in `checklist_items`."""
