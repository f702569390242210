"""In which settings the recipes of runs differ."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wholecase.recipes import parse_yaml


def settings_of(recipe: Path) -> dict[str, str]:
    """The settings of a recipe by dotted name; none where there is no such file, as of a vote."""
    if not recipe.is_file():
        return {}
    return dict(_flat(parse_yaml(recipe.read_text(encoding="utf-8"), str(recipe))))


def differing(runs: Sequence[Mapping[str, str]]) -> list[str]:
    """The settings in which not all are alike; titles do not count.

    >>> differing([{"title": "a", "seed": "1"}, {"title": "b", "seed": "2"}])
    ['seed']
    """
    names = dict.fromkeys(name for run in runs for name in run)
    return [n for n in names if n != "title" and len({run.get(n, "") for run in runs}) > 1]


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for number, part in enumerate(value, 1):
            yield from _flat(part, f"{name}.{number}")
    else:
        yield name, "null" if value is None else str(value)
