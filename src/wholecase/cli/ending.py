"""How a command ends: with an exit code, and where something went wrong with one sentence."""

import contextlib
import os
import sys
from collections.abc import Callable

from wholecase.core.errors import WholecaseError
from wholecase.core.os_errors import sentence_of
from wholecase.core.outlet import outlet

FAILED = 1
INTERRUPTED = 130
"""What a shell expects of a program that was stopped by Ctrl-C."""
CLOSED = 141
"""What a shell sees of a program whose reader, such as `head`, has gone."""
KEPT: dict[str, str] = {
    "run": "features that are stored, folds that are trained and epochs that ended are kept",
    "extract": "features that are stored are kept",
    "predict": "features that are stored are kept",
    "explain": "features that are stored and pictures that are drawn are kept",
    "triage": "slides that are finished are kept",
}
"""What outlasts a Ctrl-C, by command; of the others nothing half-done is left."""


def ended(work: Callable[[], object], command: str) -> int:
    """Do the work; its exit code, after an error of the user's has become one sentence."""
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError:
        close_quietly()
        return CLOSED
    except WholecaseError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(sentence_of(error))
    except MemoryError:
        return _failed("memory ran out; use fewer --workers or smaller batches")
    except KeyboardInterrupt:
        kept = KEPT.get(command)
        goes_on = f"{kept}, and the same command goes on from there" if kept else "begin it anew"
        return _failed(f"stopped; {goes_on}", INTERRUPTED)
    return code if isinstance(code, int) else 0


def close_quietly() -> None:
    """See standard output off, so that Python does not complain of it once more as it leaves."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(sentence: str, code: int = FAILED) -> int:
    outlet().note("error", {"message": sentence, "code": code})
    close_quietly()
    with contextlib.suppress(BrokenPipeError):
        print(f"wholecase: {sentence}", file=sys.stderr, flush=True)
    return code
