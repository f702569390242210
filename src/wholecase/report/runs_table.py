"""Runs in a folder, each with its headline, and what differs between their recipes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholecase.core.errors import RunError
from wholecase.report.records import Measured
from wholecase.report.settings_apart import differing, settings_of
from wholecase.report.table_cells import measured, read_object
from wholecase.report.wording import interval, number
from wholecase.runs import RunFolder

DEPTH = 3
"""Folders below the one that is named, in which runs are looked for."""
HEADLINES = ("auroc", "balanced_accuracy")
LONGEST = 60


@dataclass(frozen=True)
class Listed:
    """A finished run at a glance."""

    name: str
    recipe: str
    finished: str
    patients: int
    headline: Measured
    settings: Mapping[str, str]
    """Of its recipe, by dotted name."""


def runs_in(root: Path) -> list[Listed]:
    """The finished runs in a folder and below, the latest first.

    Raises:
        RunError: there is none.
    """
    found = [
        path.parent
        for depth in range(DEPTH + 1)
        for path in root.glob("/".join(["*"] * depth + ["run.json"]))
    ]
    listed = [_listed(folder, root) for folder in found]
    if not listed:
        raise RunError(f"there is no finished run in {root}; name the folder that holds runs")
    return sorted(listed, key=lambda one: (one.finished, one.name), reverse=True)


def _listed(folder: Path, root: Path) -> Listed:
    run = RunFolder(folder)
    facts, metrics = read_object(run.facts), read_object(run.metrics)
    pooled: Mapping[str, Any] = metrics.get("pooled") or {}
    headline = next(
        (measured(pooled[name]) for name in HEADLINES if name in pooled), Measured(None)
    )
    name = folder.relative_to(root).as_posix()
    return Listed(
        name=folder.resolve().name if name == "." else name,
        recipe=str(facts.get("recipe") or ""),
        finished=str(read_object(run.times).get("finished") or "")[:16].replace("T", " "),
        patients=headline.n or 0,
        headline=headline,
        settings=settings_of(run.recipe),
    )


def run_lines(runs: Sequence[Listed]) -> Iterator[str]:
    """A line for each run; below, recipe by recipe, what differs between its runs."""
    heads = ("run", "recipe", "finished", "patients", "AUROC, else balanced accuracy")
    rows = [
        (one.name, one.recipe, one.finished, str(one.patients or ""), _headline(one.headline))
        for one in runs
    ]
    yield from _aligned([heads, *rows])
    for recipe in dict.fromkeys(one.recipe for one in runs):
        own = [one for one in runs if one.recipe == recipe]
        names = differing([one.settings for one in own]) if len(own) > 1 else []
        if names:
            yield ""
            yield f"{recipe}: where recipes differ"
            cells = [(n, *(_short(one.settings.get(n, "")) for one in own)) for n in names]
            yield from _aligned([("setting", *(one.name for one in own)), *cells])


def _headline(one: Measured) -> str:
    return f"{number(one.value)} ({interval(one)})" if interval(one) else number(one.value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
