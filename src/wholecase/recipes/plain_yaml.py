"""YAML as people mean it, of a kind that cannot hurt: words, numbers, lists and mappings.

`on` is a word and `1e-4` a number, as in YAML 1.2; dates, times and octal numbers are not known.
There are no aliases, so a text is never more than it shows.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from wholecase.core.errors import RecipeError

MOST_LETTERS = 2**16
"""A recipe has two thousand."""
DEEPEST = 20
LONGEST_NUMBER = 40
"""Digits of a number; no setting needs half of them."""
AS_WRITTEN = (
    ("cohort", "positive"),
    ("cohort", "negative"),
    ("cohort", "ignore"),
    ("cohort", "classes"),
    ("cohort", "label"),
    ("cohort", "targets"),
    ("encoder", "weights"),
)
"""Where words stand that only look like numbers: labels, columns and files are text."""

BOOL = re.compile(r"true|false|True|False")
INT = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan")
NULL = re.compile(r"~|null|Null|NULL|")
PREFIX = "tag:yaml.org,2002:"


def parse_yaml(text: str, where: str, at: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """What a text says.

    Args:
        text: YAML, one document.
        where: what the text is, for messages.
        at: the keys above it, where it is a part of a recipe.

    Raises:
        RecipeError: it is no YAML, or says more than a recipe may.
    """
    if len(text) > MOST_LETTERS:
        raise RecipeError(
            f"{where} has {len(text)} letters, and a recipe {MOST_LETTERS} at most; is it another "
            "file?"
        )
    try:
        _refuse_tricks(text, where)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"{where} is not YAML: {' '.join(str(error).split())}") from error
    return None if node is None else _value(node, where, tuple(at))


def yaml_text(content: object) -> str:
    """YAML that `parse_yaml` reads back as it was."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes the words that would be read as numbers."""


for _tag, _rule in (("int", INT), ("float", FLOAT)):
    _Dumper.add_implicit_resolver(
        f"{PREFIX}{_tag}", re.compile(f"(?:{_rule.pattern})$"), list("-+.0123456789")
    )


def _refuse_tricks(text: str, where: str) -> None:
    """Pass a text without aliases that is not deep; nothing is built of it yet."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, AliasEvent):
            raise RecipeError(
                f"{where}, line {_line(event)}: the alias *{event.anchor} is not "
                "read; write out what it stands for"
            )
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            raise RecipeError(
                f"{where}, line {_line(event)}: more than {DEEPEST} lists or mappings "
                "lie within each other; a recipe has five"
            )


def _value(node: yaml.Node, where: str, at: tuple[str, ...]) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.SequenceNode) and node.tag in _tags("seq"):
        return [_value(item, where, at) for item in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag in _tags("map"):
        return _mapping(node, where, at)
    if isinstance(node, yaml.ScalarNode) and node.tag in _tags("str"):
        return _scalar(node, where, at)
    raise _error(node, where, f"the tag {node.tag!r} is not read; write plain values")


def _mapping(node: yaml.MappingNode, where: str, at: tuple[str, ...]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error(key, where, "a list or mapping cannot be a key; write a word")
        if key.value in content:
            raise _error(key, where, f"the key {key.value!r} is there twice; keep one")
        content[key.value] = _value(value, where, (*at, key.value))
    return content


def _scalar(node: yaml.ScalarNode, where: str, at: tuple[str, ...]) -> Any:  # noqa: ANN401
    text: str = node.value
    is_plain = node.style is None and node.tag == f"{PREFIX}str"
    # within a list of labels even `null` is a label
    as_written = at[:2] in AS_WRITTEN and (at[0] == "cohort" or not NULL.fullmatch(text))
    if not is_plain or as_written:
        return text
    if BOOL.fullmatch(text):
        return text.lower() == "true"
    if NULL.fullmatch(text):
        return None
    return _number(node, where) if INT.fullmatch(text) or FLOAT.fullmatch(text) else text


def _number(node: yaml.ScalarNode, where: str) -> int | float:
    text: str = node.value
    if len(text) > LONGEST_NUMBER:
        raise _error(
            node, where, f"a number of {len(text)} digits is no setting; write a shorter one"
        )
    if INT.fullmatch(text):
        return int(text)
    number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(number):
        raise _error(node, where, f"{text} is no setting; write a finite number")
    return number


def _tags(kind: str) -> tuple[str, str]:
    return f"{PREFIX}{kind}", "!"


def _error(node: yaml.Node, where: str, what: str) -> RecipeError:
    return RecipeError(f"{where}, line {_line(node)}: {what}")


def _line(thing: yaml.Event | yaml.Node) -> int:
    return 0 if thing.start_mark is None else thing.start_mark.line + 1
