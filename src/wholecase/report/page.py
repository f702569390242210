"""A run folder -> `report.html`: one file with everything inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wholecase.core import pages
from wholecase.core.files import write_text
from wholecase.report import examination, flow, provenance, verdict, voting
from wholecase.report.case_rows import case_rows, links
from wholecase.report.evidence import agreement, evidence
from wholecase.report.example_sheet import examples
from wholecase.report.figure_files import write_figures
from wholecase.report.images_alone import HEADS, image_rows
from wholecase.report.pictures import ERRORS
from wholecase.report.plain_models import (
    baseline_rows,
    chance_cells,
    chance_heads,
    metrics_shown,
)
from wholecase.report.read import read_run
from wholecase.report.results_table import results_text, scale_cells, scale_heads
from wholecase.report.run_record import Run
from wholecase.report.slide_sheet import slides_of
from wholecase.report.terms import TERMS, metric_name
from wholecase.report.wording import count, interval, number
from wholecase.runs import RunFolder

if TYPE_CHECKING:
    from jinja2 import Environment


def write_report(root: Path, facts: Mapping[str, Any] | None = None) -> Path:
    """Write the page of a finished run and return its path.

    A run that is about to be finished gives its `facts`: `run.json` is written last.

    The page holds its pictures, figures and styles: it opens from a disk or a mail, without a
    network, and reads without JavaScript. Files of the run that are missing leave gaps, not errors.
    Its main figures are written beside it as files of their own, `figures/*.svg`, and its tables as
    `results.md`.

    Raises:
        RunError: the folder is no finished run, or one of its tables lacks a column.
    """
    path, run = RunFolder(root).report, read_run(root, facts)
    write_figures(run)
    write_text(RunFolder(root).results, results_text(run))
    write_text(path, page(run))
    return path


def page(run: Run) -> str:
    """The page as text."""
    made, facts = environment(), _facts(run)
    # a metric from another package says of itself what it means
    own = {card.name: card.tip for card in facts["cards"] if card.tip}
    made.globals["terms"] = TERMS | own
    return made.get_template("page.html.j2").render(**facts) + "\n"


def _facts(run: Run) -> dict[str, Any]:
    """What the templates draw from, section by section."""
    # numpy and the figures take longer to import than the rest of the package together
    from wholecase.report import figures

    rows, cases, rule = case_rows(run), figures.judged(run), figures.rule_of(run)
    return {
        "run": run,
        "title": verdict.title(run),
        "verdict": verdict.verdict(run),
        "reading": verdict.reading(run),
        "cards": verdict.cards(run),
        "steps": flow.steps(run),
        "vote_metrics": voting.shown_metrics(run.vote) if run.vote else [],
        "vote_members": voting.member_rows(run.vote, run.folds) if run.vote else [],
        "vote_standings": voting.standing_rows(run.folds),
        "exclusions": flow.exclusions(run),
        "losses": flow.losses(run),
        "mix": flow.mix(run),
        "curves": figures.learning_curves(run),
        "apart": figures.apart_curves(run),
        "compared": figures.compared_curves(run),
        "rule": rule.words if run.is_binary else "",
        "rule_name": rule.quantity,
        "quality": [
            *figures.quality_figures(run, cases, links(run)),
            *([mapped] if (mapped := figures.embedding_figure(run)) else []),
        ],
        "deciding": figures.deciding_figures(run, cases),
        "baselines": baseline_rows(run),
        "baseline_metrics": metrics_shown(run),
        "chance_heads": chance_heads(run),
        "chance_cells": chance_cells(run),
        "checks": examination.in_order(run.checks),
        "states": examination.counted(run.checks),
        "subgroup_metrics": examination.metrics_of(run.subgroups),
        "image_heads": HEADS,
        "image_rows": image_rows(run),
        "scale_heads": scale_heads(run),
        "scales": [(name, *scale_cells(one)) for name, one in run.scales.items()],
        "agreement": agreement(run),
        "evidence": evidence(run),
        "evidence_figures": figures.evidence_figures(run),
        "examples": examples(run),
        "slides": slides_of(run),
        "rows": rows,
        "more": len(run.predictions) - len(rows),
        "errors": [row for row in rows if row.prediction.is_wrong][:ERRORS],
        "wrong": sum(p.is_wrong for p in run.predictions),
        "facts": provenance.provenance(run),
        "epoch_times": provenance.epoch_times(run),
        "stage_times": provenance.stage_times(run),
        "command": provenance.command(run),
        "command_home": provenance.command_home(run),
    }


def environment() -> "Environment":
    """What the templates of this package are filled by."""
    made = pages.environment("wholecase.report")
    made.globals.update(terms=TERMS, count=count, metric_name=metric_name)
    made.filters.update(number=number, interval=interval)
    return made
