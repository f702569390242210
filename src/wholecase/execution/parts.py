"""What runs inside a worker that answers an item part by part."""

from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from wholecase.core.errors import WholecaseError
from wholecase.execution.parent import follow_parent
from wholecase.execution.serve import END, Setup, Tool, awaited, unforeseen
from wholecase.execution.threads import one_thread

PART = "part"


def serve_parts(
    connection: Connection, function: Callable[..., Iterator[Any]], setup: Setup | None
) -> None:
    """Answer items from the connection with (PART, value)... and (END, error or None) each.

    A part waits in the line until it is fetched: the function runs no further ahead than that.
    """
    follow_parent()
    tool = Tool(setup)
    while (message := awaited(connection)) is not None:
        try:
            error = _parts(connection, function, message[0], tool)
            connection.send((END, error))
        except OSError:  # the parent is gone
            return


def _parts(
    connection: Connection, function: Callable[..., Iterator[Any]], item: object, tool: Tool
) -> WholecaseError | None:
    try:
        with one_thread():
            for value in function(item, *tool.arguments()):
                connection.send((PART, value))
    except WholecaseError as error:
        return error
    except Exception as error:  # noqa: BLE001 (one item's failure must not cost the others)
        return unforeseen(error)
    return None
