"""What runs inside a worker: take an item, do it, hand the outcome back."""

import gc
import traceback
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from wholecase.core.errors import WholecaseError
from wholecase.core.os_errors import CURES, sentence_of
from wholecase.execution.parent import follow_parent
from wholecase.execution.tell import listening
from wholecase.execution.threads import one_thread

NEWS, END = "news", "end"
Setup = Callable[[], Any]


class Tool:
    """What `setup` makes, made once, when the first item asks for it."""

    def __init__(self, setup: Setup | None) -> None:
        self._setup = setup
        self._made: tuple[Any, ...] | None = None

    def arguments(self) -> tuple[Any, ...]:
        """What the function takes after the item: the tool, or nothing."""
        if self._made is None:
            try:
                self._made = () if self._setup is None else (self._setup(),)
            finally:
                if parent_process() is not None:  # a worker begins without
                    gc.enable()
        return self._made


def attempt(
    function: Callable[..., Any],
    item: Any,  # noqa: ANN401 (items are the caller's own)
    tool: Tool,
) -> tuple[Any, WholecaseError | None]:
    """The result and no error, or no result and an error that names its kind."""
    try:
        with one_thread():
            return function(item, *tool.arguments()), None
    except WholecaseError as error:
        return None, error
    except Exception as error:  # noqa: BLE001 (one item's failure must not cost the others)
        return None, unforeseen(error)


def unforeseen(error: Exception) -> WholecaseError:
    """One of ours for one that nobody expected; its traceback is a note of it."""
    if isinstance(error, OSError) and error.errno in CURES:
        ours = WholecaseError(sentence_of(error))
    else:
        ours = WholecaseError(f"{type(error).__name__}: {error}")
    ours.add_note("".join(traceback.format_exception(error)))
    return ours


def serve(connection: Connection, function: Callable[..., Any], setup: Setup | None) -> None:
    """Answer items from the connection until it says None or closes.

    Of each item come any number of (NEWS, news), and one (END, (result, error)).
    """
    follow_parent()
    tool = Tool(setup)
    while (message := awaited(connection)) is not None:
        with listening(lambda news: connection.send((NEWS, news))):
            answer = attempt(function, message[0], tool)
        try:
            connection.send((END, answer))
        except OSError:  # the parent is gone
            return
        except Exception as error:  # noqa: BLE001 (pickle raises whatever it likes)
            reason = f"the result cannot be handed over: {type(error).__name__}: {error}"
            connection.send((END, (None, WholecaseError(reason))))


def awaited(connection: Connection) -> tuple[Any] | None:
    """The next item, or None at the end of work."""
    try:
        message: tuple[Any] | None = connection.recv()
    except (EOFError, OSError):
        return None
    return message
