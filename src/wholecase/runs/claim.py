"""Whose run folder this is while somebody works in it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from wholecase.core.errors import RunError
from wholecase.core.lock import acquire, holder

CLAIM = ".claim"
"""The file in a run folder that says who works there now."""


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a run folder alone; a claim of a process that died is taken over.

    The folder is made where there is none, and goes again if nothing was put into it.

    Raises:
        RunError: a living process works there.
        OSError: the folder cannot be made or written to.
    """
    path, new = folder / CLAIM, not folder.exists()
    lock = acquire(path)
    if lock is None:
        raise RunError(
            f"{folder} is in the hands of {holder(path)}; wait until it is done, and the same "
            "command finds its results, or choose another --out"
        )
    try:
        with lock:
            yield
    finally:
        if new:
            with contextlib.suppress(OSError):  # it holds something
                folder.rmdir()
