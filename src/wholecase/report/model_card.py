"""A model card: what a model is for, what it rests on and what it cannot, as a run knows it."""

from collections.abc import Mapping
from pathlib import Path

from wholecase.core.files import write_text
from wholecase.report import verdict
from wholecase.report.checklists import ANSWERS, BLANK
from wholecase.report.read import read_run
from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.terms import METRIC_NAMES, TERMS, metric_name
from wholecase.report.wording import interval, number
from wholecase.runs import RunFolder

PARTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "The model",
        (
            ("Parts", "model"),
            ("Files", "model_files"),
            ("Images before it", "preparation"),
            ("Taught by", "training"),
            ("Chosen", "choices"),
            ("Votes", "ensemble"),
            ("Made with", "code"),
            ("Who answers for it, licence, how to cite", ""),
        ),
    ),
    (
        "Use",
        (
            ("What it sees", "predictors"),
            ("What it tells", "labels"),
            ("What for, by whom, in which patients", ""),
            ("What it must not be used for", ""),
        ),
    ),
    (
        "Data",
        (
            ("Cohort", "data"),
            ("Sites", "sites"),
            ("Classes", "mix"),
            ("Left out", "losses"),
            ("From the manifest to the judged", "flow"),
            ("Consent and approval", ""),
        ),
    ),
    (
        "How it was judged",
        (
            ("Protocol", "protocol"),
            ("Apart", "disjoint"),
            ("Patients", "size"),
            ("Intervals", "uncertainty"),
            ("Calibration", "calibration"),
            ("Other seeds and folds", "robustness"),
            ("In other hospitals", ""),
        ),
    ),
)
"""Heading, then what is told under it and the word in `ANSWERS`; none is the author's."""
LIMITS = (
    ("Cases it decides wrongly", "failures"),
    ("What a reviewer would ask", "checks"),
    ("Whom it may harm, and how that is watched", ""),
)


def write_card(root: Path) -> Path:
    """Write `model-card.md` of a finished run and return its path.

    Raises:
        RunError: the run is not finished.
    """
    path = RunFolder(root).root / "model-card.md"
    write_text(path, card(read_run(root)))
    return path


def card(run: Run) -> str:
    """The card as Markdown (in the order of Mitchell et al. 2019); blanks are the author's."""
    told = [f"# Model card · {verdict.title(run)}", verdict.verdict(run)]
    told.append(
        "A research result, not a medical device: no patient may be treated on it. What the run "
        f"knows is filled in; {BLANK} marks what only you know."
    )
    for heading, lines in PARTS:
        told += [f"## {heading}", _list(run, lines)]
    mark = [f"**{run.mark}**"] if run.mark else []
    told += ["## Figures", *mark, _figures(run.pooled), *_subgroups(run)]
    told += ["## Limits", _list(run, LIMITS)]
    return "\n\n".join(told) + "\n"


def _list(run: Run, lines: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(
        f"- **{name}**: {(ANSWERS[key](run) if key else '') or BLANK}" for name, key in lines
    )


def _figures(pooled: Mapping[str, Measured]) -> str:
    rows = [
        f"| {metric_name(name)} | {number(one.value)} | {_ends(one)} | "
        f"{'–' if one.n is None else one.n} | {TERMS.get(metric_name(name), '')} |"
        for name, one in sorted(pooled.items(), key=lambda pair: _place(pair[0]))
    ]
    head = "| metric | value | 95 % interval | patients | meaning |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows)


def _subgroups(run: Run) -> list[str]:
    told = []
    for column, groups in run.subgroups.items():
        names = list(dict.fromkeys(name for group in groups for name in group.metrics))
        head = f"| {column} | patients | {' | '.join(map(metric_name, names))} |"
        rows = [
            f"| {group.value} | {group.patients} | "
            + " | ".join(_cell(group.metrics.get(name)) for name in names)
            + " |"
            for group in groups
        ]
        told += [f"## By {column}", *([f"**{run.mark}**"] if run.mark else [])]
        told += ["\n".join([head, "|---" * (len(names) + 2) + "|", *rows])]
    return told


def _cell(one: Measured | None) -> str:
    if one is None or one.value is None:
        return "too few"
    return f"{number(one.value)} ({_ends(one)})"


def _ends(one: Measured) -> str:
    return interval(one) or f"none{f': {one.reason}' if one.reason else ''}"


def _place(name: str) -> tuple[int, str]:
    known = list(METRIC_NAMES)
    return (known.index(name) if name in known else len(known), name)
