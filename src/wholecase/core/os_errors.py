"""What the operating system refuses, as one sentence with the path and the way out."""

import errno
import os
from pathlib import Path

ELSEWHERE = "mend its rights, or name another place"
CURES: dict[int, str] = {
    errno.ENOSPC: "free space there, or name another disk, and repeat the command",
    errno.EDQUOT: "free some of your quota there, or name another disk, and repeat the command",
    errno.EFBIG: "this disk takes no file of that size; name another, and repeat the command",
    errno.EROFS: "nothing can be written there; name another place",
    errno.EACCES: ELSEWHERE,
    errno.EPERM: ELSEWHERE,
    errno.ENOENT: "correct the path, or fetch it again if it was there before",
    errno.ENOTDIR: "a part of that path is a file; correct it, or name another place",
    errno.EISDIR: "name a file, or move that folder away",
    errno.EEXIST: "something else is there; name another place, or move that away",
    errno.ENOTEMPTY: "something else is there; name another place, or move that away",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.ELOOP: "its links lead in a circle; mend them",
    errno.EMFILE: "use fewer --workers, or raise the limit with `ulimit -n`",
    errno.ENFILE: "use fewer --workers, or close other programs",
    errno.ENOMEM: "free memory, or use fewer --workers",
    errno.EAGAIN: "another program has it locked; wait for it, or close it",
    errno.EBUSY: "another program has it in use; wait for it, or close it",
    errno.ETXTBSY: "another program has it in use; wait for it, or close it",
    errno.EIO: "the disk or the network failed; look after it, and repeat the command",
    errno.ESTALE: "the network disk lost it; mount it again, and repeat the command",
    errno.ETIMEDOUT: "the disk or the network does not answer; repeat the command when it does",
}
"""The way out of each; those that have none here are told as the system tells them."""


def sentence_of(error: OSError, path: Path | None = None) -> str:
    """Path, reason and cure.

    Args:
        error: of the operating system, or of a library that names one of its errors.
        path: what it is about, where the error itself does not know.

    >>> sentence_of(PermissionError(errno.EACCES, "Permission denied", "a.csv"))
    'a.csv: permission denied; mend its rights, or name another place'
    """
    known = error.errno in CURES
    where = error.filename if error.filename is not None else path
    reason = os.strerror(error.errno).lower() if known and error.errno else _first_line(error)
    cure = CURES[error.errno] if known and error.errno else "look after it, and repeat the command"
    return f"{'' if where is None else f'{os.fsdecode(where)}: '}{reason}; {cure}"


def _first_line(error: OSError) -> str:
    text = error.strerror or str(error) or type(error).__name__
    return text.splitlines()[0]
