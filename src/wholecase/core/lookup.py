"""A name leads to a thing by a plain table; a wrong name is told its nearest neighbour."""

import difflib
import functools
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from wholecase.core.errors import RecipeError
from wholecase.core.table import Table

Thing = TypeVar("Thing")


def look_up(table: Mapping[str, Thing], name: str, what: str) -> Thing:
    """The thing of that name; an unknown name is an error that lists the known ones."""
    if isinstance(table, Table) and table.knows(name):
        found: Thing = table[name]
        return found
    if name not in table:
        raise RecipeError(f"no {what} is called {name!r}{_instead(table, name)}")
    return table[name]


def _instead(table: Mapping[str, Thing], name: str) -> str:
    if not isinstance(table, Table):
        return nearest(name, table)
    told = nearest(name, table.names())
    return f"{told}; or install the package that has it" if "known:" in told else told


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: what was meant, or what there is.

    >>> nearest("attnetion", ["attention", "mean"])
    "; did you mean 'attention'?"
    >>> nearest("x", ["attention", "mean"])
    '; known: attention, mean'
    """
    return _nearest(name, tuple(sorted(known)))


@functools.lru_cache(maxsize=1024)  # a long table makes one mistake many times
def _nearest(name: str, known: tuple[str, ...]) -> str:
    if close := difflib.get_close_matches(name, known, n=1):
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known)}" if known else ""


def options_of(thing: Any, given: Iterable[str] = ()) -> dict[str, inspect.Parameter]:  # noqa: ANN401
    """The keyword options of a constructor or function, less those that the caller gives itself."""
    parameters = inspect.signature(thing).parameters.values()
    return {
        p.name: p
        for p in parameters
        if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in set(given)
    }


def check_options(thing: Any, options: Mapping[str, Any], what: str, given: Iterable[str]) -> None:  # noqa: ANN401
    """Refuse options that the constructor does not have, missing ones, and values of other types.

    Raises:
        RecipeError: names the thing, the option, and what it may be.
    """
    known = options_of(thing, given)
    for name in options:
        if name not in known:
            raise RecipeError(f"{what} has no option {name!r}{nearest(name, known)}")
    for name, parameter in known.items():
        if name in options:
            _check_type(options[name], parameter, what)
        elif parameter.default is parameter.empty:
            raise RecipeError(f"{what} needs the option {name!r}; add it to the recipe")


def _check_type(value: object, parameter: inspect.Parameter, what: str) -> None:
    """Pass what the annotation allows, as JSON has it.

    A list does for a tuple and a whole number for any number, never a word or a flag for a number.
    """
    from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

    if parameter.annotation is parameter.empty:
        return
    try:
        adapter = TypeAdapter(parameter.annotation, config=ConfigDict(strict=True))
    except PydanticSchemaGenerationError:
        return  # no kind of value that a recipe could hold
    try:
        adapter.validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        reason = error.errors()[0]["msg"].replace("Input should be", "it should be")
        raise RecipeError(
            f"{what} cannot be built with {parameter.name}={value!r}: {reason}"
        ) from error
