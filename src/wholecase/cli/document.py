"""`--json`: one document for programs on stdout, and the words for people on stderr."""

import contextlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from wholecase.core.version import VERSION

Json = Annotated[
    bool,
    Parameter(name="--json", negative="", help="one JSON document on stdout, words on stderr"),
]


@contextlib.contextmanager
def document(command: str, *, asked: bool) -> Iterator[dict[str, Any]]:
    """Facts to be added to; they are written at the end, where that is asked for.

    A command that stops with an error writes none.
    """
    facts: dict[str, Any] = {"wholecase": VERSION, "command": command}
    if not asked:
        yield facts
        return
    with contextlib.redirect_stdout(sys.stderr):
        yield facts
    print(json.dumps(plain_json(facts), indent=1, allow_nan=False))


def plain_json(value: Any) -> Any:  # noqa: ANN401 (whatever a command tells)
    """The same in what JSON has: records as objects, paths as text, no number as null.

    >>> plain_json({"spread": float("nan"), "at": Path("a.csv"), "pair": (1, 2)})
    {'spread': None, 'at': 'a.csv', 'pair': [1, 2]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(one) for one in value]
    if isinstance(value, Path):
        return str(value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
