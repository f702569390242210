"""Whether a path names a file that may be opened: devices, pipes and folders never are."""

import errno
import os
import stat
from pathlib import Path

from wholecase.core.errors import WholecaseError

_KINDS = (
    (stat.S_ISDIR, "a folder, not a file; give the path of the file itself"),
    (stat.S_ISFIFO, "a pipe, not a file; save what comes out of it and name that"),
    (stat.S_ISSOCK, "a socket, not a file; give the path of a file"),
    (stat.S_ISCHR, "a device, not a file; give the path of a file"),
    (stat.S_ISBLK, "a device, not a file; give the path of a file"),
)
_OF_THE_SYSTEM = ("/proc/", "/sys/")
"""What lies there looks like files, and has neither an end nor a size."""
_MOST_SHOWN = 200
"""Characters of a name too long for the disk that are repeated."""


def why_irregular(path: Path) -> str | None:
    """Why something is no file of data, with the cure; None for a file and for what is missing.

    >>> why_irregular(Path("/")), why_irregular(Path("nowhere.png"))
    ('a folder, not a file; give the path of the file itself', None)
    """
    try:
        mode = path.stat().st_mode
    except ValueError:
        return "a path that no system can open; take the NUL byte out of it"
    except OSError as error:
        too_long = os.strerror(error.errno or 0) if is_too_long(error) else None
        return too_long and f"a path that no system can open ({too_long}); shorten it"
    for is_kind, sentence in _KINDS:
        if is_kind(mode):
            return sentence
    if os.path.realpath(path).startswith(_OF_THE_SYSTEM):
        return "part of the running system, not a file of data; give the path of a file"
    return None


def refuse_irregular(path: Path, error: type[WholecaseError]) -> None:
    """Pass files, and what is missing or may not be read: whoever opens it finds out.

    Raises:
        WholecaseError: of the kind asked for; a folder, device, pipe, socket, a part of the running
            system, or a path that cannot be.
    """
    if why := why_irregular(path):
        shown = str(path)
        shown = shown if len(shown) <= 4 * _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."
        raise error(f"{shown}: {why}")


def is_there(path: Path) -> bool:
    """Whether anything has that name; of a name that cannot be, False instead of an error."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder has that name; of a name that cannot be, False instead of an error."""
    return is_there(path) and path.is_dir()


def is_too_long(error: OSError) -> bool:
    """Whether a name was longer than any disk has it, or led in a circle."""
    return error.errno in (errno.ENAMETOOLONG, errno.ELOOP)
