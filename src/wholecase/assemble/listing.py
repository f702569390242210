"""The parts that can be named, each with what it is and what may be set."""

import inspect
from collections.abc import Iterator
from typing import Any

from wholecase.assemble.named import TABLES, maker_of, settings_of, table_of
from wholecase.assemble.told import meanings_of
from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.core.outside import Part, find
from wholecase.encoders import FIELD
from wholecase.evaluation import Metric, ThresholdRule
from wholecase.report import TERMS, metric_name

KINDS = (*TABLES, "loss")


def kind_lines() -> Iterator[str]:
    """Each kind with the names of it."""
    for kind in TABLES:
        yield f"{kind:14} {', '.join(_names(kind))}"
    yield f"{'loss':14} those of pytorch-metric-learning, for the head neighbours"


def part_lines(kind: str) -> Iterator[str]:
    """Each part of a kind: its name and one line, what may be set, and who made it.

    Raises:
        RecipeError: there is no such kind.
    """
    look_up(dict.fromkeys(KINDS), kind, "kind of part")
    for name in _names(kind):
        yield from _lines(kind, name)
    for part in table_of(kind).refused():
        yield (
            f"{part.name}: of {part.origin}, refused: it has the name of one of wholecase's own; "
            "give it another name"
        )


def _names(kind: str) -> list[str]:
    more = [name for name in FIELD if name not in TABLES[kind]] if kind == "encoder" else []
    return list(dict.fromkeys([*table_of(kind).names(), *more]))


def _lines(kind: str, name: str) -> Iterator[str]:
    part = None if name in table_of(kind) or name in FIELD else find(kind, name)
    whose = "" if part is None else f" ({part.origin})"
    try:
        made = _made(kind, name, part)
    except RecipeError as error:  # a broken package costs its own line
        yield f"{name}{whose}: {error}"
        return
    told = line_of(kind, name, made)
    yield f"{name}{whose}: {told}"
    meanings = meanings_of(made)
    options = {} if kind in {"loss", "source"} else settings_of(kind, name)
    for option, parameter in options.items():
        yield f"    {_setting(parameter)}  {meanings.get(option, '')}".rstrip()


def _made(kind: str, name: str, part: Part | None) -> Any:  # noqa: ANN401
    if part is not None:
        return table_of(kind).loaded(part)
    if kind == "loss":
        return table_of(kind)[name]
    made = maker_of(kind, name)
    assert made is not None, "it is in the table"  # noqa: S101
    return made[0]


def line_of(kind: str, name: str, made: Any) -> str:  # noqa: ANN401
    """What a thing is, in the first line of what it says of itself."""
    if kind == "encoder" and name in FIELD:
        return FIELD[name].title
    if isinstance(made, Metric):
        return made.says or TERMS.get(metric_name(name), "")
    if isinstance(made, ThresholdRule):
        way = ", smoothed over redraws of patients" if made.is_smoothed else ""
        return f"The best {made.quantity} on inner patients{way}" if made.merit else "One half"
    return next(iter((inspect.getdoc(made) or "").splitlines()), "").rstrip(".")


def _setting(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return f"{parameter.name} (must be given)"
    return f"{parameter.name}={_yaml(parameter.default)}"


def _yaml(value: object) -> str:
    import json

    return json.dumps(value, default=str)
