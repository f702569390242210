"""A finished run made again, and what differs: data, settings, versions, machine, answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.execution import Place
from wholecase.experiment.run import Settings, run
from wholecase.recipes import read_recipe
from wholecase.runs import RunFolder, read_rows, voting_runs

UNTOLD = frozenset({"repeat", "cohort.path", "splits.from"})
"""Where things lie; it changes no number."""
SHOWN = 5


@dataclass(frozen=True)
class Reproduction:
    """A run and its repetition, side by side."""

    again: RunFolder
    differing: Mapping[str, tuple[object, object]]
    """Fact of `run.json` -> as it was, as it is now."""
    cases: int
    """Judged by both."""
    lost: tuple[str, ...]
    """Judged by one of the two alone."""
    furthest: float
    """Between the probabilities of a case."""
    decided: tuple[str, ...]
    """Cases that are decided otherwise."""
    metrics: Mapping[str, tuple[float | None, float | None]]
    """Headline -> before and now, where they differ."""

    @property
    def is_same(self) -> bool:
        """Whether every answer is the same to the last digit that is written."""
        return not (self.lost or self.decided or self.furthest or self.metrics)


def reproduce(
    root: Path, out: Path | None, place: Place, *, cohort: Path | None = None, fresh: bool = False
) -> Reproduction:
    """Run the recipe of a finished run again, on its cohort and division, and compare.

    Args:
        root: the finished run.
        out: where it is made again; None is beside it, with `-again` at its name.
        place: where work runs.
        cohort: the manifest, where it moved since.
        fresh: whether features are made anew, instead of read from the store beside the run.

    Raises:
        RunError: the run is a vote, its manifest is not found, or is not what it was.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    if voting_runs(folder, facts):
        raise RunError(f"{root} is a vote of runs; reproduce each of them, then vote again")
    manifest = cohort or manifest_beside(root, facts)
    _refuse_changed(manifest, facts)
    target = out or root.with_name(f"{root.resolve().name}-again")
    settings = Settings(
        out=target,
        store=target / "features" if fresh else root.parent / "features",
        splits=folder.splits if facts["splits"].get("from") else None,
        place=place,
        baselines="baselines" in read_json(folder.metrics),
    )
    done = run(read_recipe(str(folder.recipe)), manifest, settings)
    return compared(folder, done.run)


def manifest_beside(root: Path, facts: Mapping[str, Any]) -> Path:
    """The manifest of a run: where it was, or in the same place as seen from the run.

    Raises:
        RunError: it is in neither.
    """
    told = Path(facts["cohort"]["path"])
    again = facts.get("repeat") or {}
    places = [told]
    if again.get("home"):
        here = root.resolve()
        homes = [home for home in here.parents if home / again["run"] == here]
        places += [home / again["cohort"] for home in homes]
    for place in places:
        if place.is_file():
            return place
    raise RunError(f"{told}, the manifest of {root}, is not there; name it with --cohort")


def _refuse_changed(manifest: Path, facts: Mapping[str, Any]) -> None:
    if file_digest(manifest) != facts["cohort"]["digest"]:
        raise RunError(
            f"{manifest} is not the manifest that the run was made from (its digest differs); "
            "find that one, or start a run of its own"
        )


def compared(first: RunFolder, second: RunFolder) -> Reproduction:
    """What differs between two runs of one recipe."""
    facts = [dict(_flat(folder.read_facts())) for folder in (first, second)]
    keys = [key for key in dict.fromkeys([*facts[0], *facts[1]]) if not _is_untold(key)]
    rows = [{row["case_id"]: row for row in read_rows(f.predictions)} for f in (first, second)]
    both = [case for case in rows[0] if case in rows[1]]
    pairs = [(rows[0][case], rows[1][case]) for case in both]
    return Reproduction(
        again=second,
        differing={
            key: (facts[0].get(key), facts[1].get(key))
            for key in keys
            if facts[0].get(key) != facts[1].get(key)
        },
        cases=len(both),
        lost=tuple(sorted(set(rows[0]) ^ set(rows[1]))),
        furthest=max((_apart(a, b) for a, b in pairs), default=0.0),
        decided=tuple(a["case_id"] for a, b in pairs if a["decision"] != b["decision"]),
        metrics=_metrics(first, second),
    )


def _apart(a: Mapping[str, str], b: Mapping[str, str]) -> float:
    named = [name for name in a if name.startswith("probability_") and name in b]
    return max((abs(float(a[name]) - float(b[name])) for name in named), default=0.0)


def _metrics(first: RunFolder, second: RunFolder) -> dict[str, tuple[float | None, float | None]]:
    one, two = (
        {name: entry["value"] for name, entry in read_json(folder.metrics)["pooled"].items()}
        for folder in (first, second)
    )
    return {n: (one.get(n), two.get(n)) for n in {**one, **two} if one.get(n) != two.get(n)}


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _is_untold(key: str) -> bool:
    return key in UNTOLD or key.partition(".")[0] in UNTOLD


def reproduction_lines(told: Reproduction) -> Iterator[str]:
    """What differs, for people; the last line says whether the answers are the same."""
    for key, (before, now) in told.differing.items():
        yield f"{key}: {_word(before)} before, {_word(now)} now"
    for name, (before, now) in told.metrics.items():
        yield f"{name}: {_word(before)} before, {_word(now)} now"
    if told.lost:
        yield f"judged by one of the two alone: {len(told.lost)} cases, such as {told.lost[0]}"
    if told.decided:
        named = ", ".join(told.decided[:SHOWN])
        yield f"decided otherwise: {len(told.decided)} of {told.cases} cases ({named})"
    if told.is_same:
        yield f"The same: every probability of {told.cases} cases agrees to the last digit."
    else:
        yield f"Not the same: probabilities of {told.cases} cases differ by {told.furthest:.2g}."


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "nothing" if value is None else str(value)
