"""Whatever a reader raises on a damaged file becomes one sentence about the file."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import final

from wholecase.core.errors import SourceError

LONGEST = 160
"""Characters of a reader's own words that are repeated; some print all that they have read."""


@contextlib.contextmanager
def damage(sentence: str, cure: str = "fetch or export the slide again") -> Iterator[None]:
    """What a reader raises here is a `SourceError`.

    Raises:
        SourceError: the sentence, the reader's words, the cure. Those raised inside pass as they
            are.
    """
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # damaged bytes lead a decoder anywhere
        words = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        raise SourceError(f"{sentence} ({words}); {cure}") from error


@contextlib.contextmanager
def complaints(logger: str, of: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """What a library that reads on past damage tells its log meanwhile, instead of the screen.

    Only sentences that hold one of the words `of` are kept; the others are of no consequence.
    """
    listener = _Listener(of)
    log = logging.getLogger(logger)
    log.addHandler(listener)
    try:
        yield listener.heard
    finally:
        log.removeHandler(listener)


@final
class _Listener(logging.Handler):
    def __init__(self, of: tuple[str, ...]) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []
        self._of, self._thread = of, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.thread == self._thread and any(word in text for word in self._of):
            self.heard.append(" ".join(text.split())[:LONGEST])
