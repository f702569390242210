"""What made the run, and how to make it again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from wholecase.report.run_record import Run
from wholecase.report.wording import count, duration

HOMES = {
    "start": "In the folder in which the run was started:",
    "both": "In the nearest folder that holds both the run and its cohort:",
    "here": "In the folder of this vote:",
    "None": "With the folders of your machine before the names of the run and its cohort:",
}
"""By `repeat.home` in `run.json`."""


@dataclass(frozen=True)
class Fact:
    """A line of the provenance: its name, which may be a term, and what it says."""

    name: str
    text: str
    is_code: bool = False


def provenance(run: Run) -> list[Fact]:
    """Everything that determined the result, in the order of the work; unknown facts are left out.

    Of the cohort's path only the name is told: a page that is sent on shall not tell of the
    machine that it was made on.
    """
    facts = run.facts
    cohort, splits = _map(facts, "cohort"), _map(facts, "splits")
    encoder = facts.get("encoder")
    shown = [
        Fact("Recipe", _text(facts.get("recipe"))),
        Fact("Members", _members(_map(facts, "vote"))),
        Fact("Cohort", _cohort(cohort), is_code=True),
        Fact("Cut", _text(facts.get("cut"))),
        Fact("Encoder", _encoder(encoder)),
        Fact("Parts of others", _parts(facts.get("parts"))),
        Fact("Engine", _engine(facts.get("engine"))),
        Fact("Splits", _splits(splits, len(run.folds))),
        Fact("Digest of splits", _text(splits.get("digest")), is_code=True),
        Fact("Added to the memory", _added(run.additions)),
        Fact("Seed", _text(facts.get("seed")), is_code=True),
        Fact("Device", _text(facts.get("device"))),
        Fact("wholecase", _text(facts.get("wholecase")), is_code=True),
        Fact("Digest of data", _text(facts.get("data")), is_code=True),
        Fact("Versions", _text(facts.get("versions"))),
        Fact("Machine", _machine(_map(facts, "machine"))),
        Fact("Started", _date(run.times.get("started"))),
        Fact("Finished", _date(run.times.get("finished"))),
    ]
    return [fact for fact in shown if fact.text]


def stage_times(run: Run) -> list[tuple[str, str]]:
    """How long each stage took."""
    return [(str(k), duration(float(v))) for k, v in _map(run.times, "seconds").items()]


def epoch_times(run: Run) -> str:
    """How long an epoch took; empty where none was timed."""
    if not (told := _map(run.times, "epochs")):
        return ""
    cut = _map(run.facts, "cut").get("name")
    noun = "image" if cut == "whole" else "instance"
    return (
        f"{told['number']} of {duration(float(told['seconds_each']))} on average, "
        f"{count(round(float(told['instances_each'])), noun)} each, "
        f"{count(round(float(told['instances_per_second'])), noun)} a second"
    )


def command(run: Run) -> str:
    """The command that repeats the run, with paths from the folder that `command_home` names."""
    if run.vote is not None:
        return _vote_command(run)
    again = _map(run.facts, "repeat")
    path = _text(_map(run.facts, "cohort").get("path"))
    name = _text(again.get("run")) or run.root.resolve().name
    cohort = _text(again.get("cohort")) or PurePath(path).name or "cohort.csv"
    parts = ["wholecase", "run", f"{name}/recipe.yaml", "--cohort", cohort]
    parts += ["--splits", f"{name}/splits.csv"] if again.get("splits") else []
    return shlex.join([*parts, "--out", f"{name}-again"])


def _machine(told: Mapping[str, Any]) -> str:
    if not told:
        return ""
    cores = count(int(told.get("cores") or 0), "core")
    return f"{_text(told.get('processor'))}, {cores}, {_text(told.get('memory_gib'))} GiB"


def _members(vote: Mapping[str, Any]) -> str:
    """The runs that vote, each with its recipe and a fingerprint of what it answers by."""
    told = []
    for one in vote.get("members") or ():
        parts = [_text(one.get("recipe")), _text(one.get("digest"))]
        told.append(f"{_text(one.get('name'))} ({', '.join(part for part in parts if part)})")
    return ", ".join(told)


def _vote_command(run: Run) -> str:
    """By the places of the members from the run's own folder."""
    told = _map(run.facts, "vote")
    paths = [_text(one.get("path")) or _text(one.get("name")) for one in told.get("members") or ()]
    name = run.root.resolve().name
    parts = ["wholecase", "vote", *paths, "--weights", _text(told.get("weights"))]
    parts += ["--admit", _text(told.get("admit"))]
    parts += [word for key, v in _map(told, "rule").items() for word in (f"--{key}", _text(v))]
    return shlex.join([*parts, "--out", f"../{name}-again"])


def command_home(run: Run) -> str:
    """From where the paths of the command count."""
    home = "here" if run.vote else _map(run.facts, "repeat").get("home")
    return HOMES.get(str(home), HOMES["None"])


def _map(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """Any JSON value on one line."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _cohort(cohort: Mapping[str, Any]) -> str:
    name = PurePath(_text(cohort.get("path"))).name
    return f"{name}, digest {_text(cohort['digest'])}" if cohort.get("digest") else name


def _encoder(encoder: object) -> str:
    if isinstance(encoder, Mapping) and "identity" in encoder:
        width = encoder.get("width")
        tail = f", {count(int(width), 'number')} per instance" if width else ""
        return f"{_text(encoder['identity'])}{tail}"
    return _text(encoder)


def _parts(told: object) -> str:
    """What is not of wholecase itself, and whence."""
    parts = told if isinstance(told, list) else []
    whence = [
        f"{one['package']} {one['version']}" if one.get("package") else PurePath(one["module"]).name
        for one in parts
    ]
    return ", ".join(
        f"{one['kind']} {one['name']} of {of}" for one, of in zip(parts, whence, strict=True)
    )


def _engine(networks: object) -> str:
    """How features lie to exact ones, where they were not computed exactly."""
    told = networks if isinstance(networks, list) else []
    return "; ".join(
        f"{one['identity']} differs from exact features by {one['difference']:.2g} of their length "
        f"(median of {one['instances']} instances; at most {one['largest']:.2g}), "
        f"cosine {one['cosine']:.6f} (least {one['least']:.6f})"
        for one in told
    )


def _splits(splits: Mapping[str, Any], folds: int) -> str:
    if not splits:
        return ""
    source = splits.get("from")
    parts = [_text(splits.get("protocol")), count(folds, "fold")]
    parts += [f"taken from {PurePath(_text(source)).name}"] if source else []
    parts += [f"{splits['inner']} inner folds"] if splits.get("inner") else []
    parts += ["learnt once more from train and valid"] if splits.get("refit") else []
    return ", ".join(part for part in parts if part)


def _added(additions: Sequence[str]) -> str:
    if not additions:
        return ""
    return f"{'; '.join(additions)}: after the run was evaluated, and in no figure here"


def _date(text: object) -> str:
    """An ISO date without the fractions; as it stands where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return _text(text)
    return f"{moment:%Y-%m-%d %H:%M}{f' {moment:%Z}' if moment.tzinfo else ''}"
