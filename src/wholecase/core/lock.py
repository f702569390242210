"""Who works on what: a file that only one process can create, wherever it lies.

Locks of the operating system do not reach over every network disk, nor to Windows. A lock here is
a file with its owner's name, which the owner touches while it lives. It decides who does the work,
never what comes of it: two processes that both think they hold one write the same bytes.
"""

import contextlib
import json
import math
import os
import platform
import secrets
import threading
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, final

BEAT_S = 30.0
"""How often an owner touches its lock."""
STALE_S = 600.0
"""A lock untouched for so long is nobody's; wide enough for clocks that differ by minutes."""
NAMELESS_S = 10.0
"""A lock without a name was left by an owner that died in between creating and signing it."""


@final
class Lock:
    """A lock that is held; release it, or use it as a context manager."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        self._over = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def release(self) -> None:
        """Let go; a lock that somebody took over meanwhile stays theirs."""
        self._over.set()
        if _read(self._path) == self._text:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            if _read(self._path) != self._text:
                return
            with contextlib.suppress(OSError):
                os.utime(self._path)


def acquire(path: Path) -> Lock | None:
    """The lock, or None while somebody else holds it. One that is nobody's is taken over.

    Raises:
        OSError: the lock's file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**_myself(), "since": round(time.time()), "token": secrets.token_hex(8)})
    for _ in range(2):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            if not _clear(path):
                return None
        except PermissionError:  # on Windows, of a file that is being deleted
            if os.name != "nt":
                raise
            return None
        else:
            return _signed(handle, path, text)
    return None


def is_held(path: Path) -> bool:
    """Whether a living owner holds the lock."""
    text = _read(path)
    return text is not None and not _is_over(path, text)


def holder(path: Path) -> str:
    """Who holds the lock, in words: the process, its machine, since when, and the lock's file."""
    owner = _owner(_read(path) or "")
    who = "another process"
    with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError, OSError, IndexError):
        since = datetime.fromtimestamp(owner["since"], UTC).astimezone()
        host = str(owner["host"]).split()[0]
        who = f"process {int(owner['pid'])} on {host}, since {since:%Y-%m-%d %H:%M:%S}"
    return f"{who} ({path})"


def owner_died(path: Path) -> bool:
    """Whether the lock names a process of this host that is no more: what it left is litter."""
    return _is_dead(_owner(_read(path) or ""))


def _signed(handle: int, path: Path, text: str) -> Lock:
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:  # a full disk: a lock without a name would stop others
        path.unlink(missing_ok=True)
        raise
    return Lock(path, text)


def _clear(path: Path) -> bool:
    """Take away a lock that is nobody's; False where it is somebody's, or somebody does so now."""
    if is_held(path):
        return False
    guard = path.with_name(f"{path.name}.over")
    try:
        # alone: of two that saw the same dead lock, the slower must not take the faster one's new
        os.close(os.open(guard, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        if _age(guard) > NAMELESS_S:  # its maker was killed within a millisecond
            guard.unlink(missing_ok=True)
        return False
    try:
        text = _read(path)
        # one that is not there any more may be somebody's in the next moment
        if text is not None and _is_over(path, text):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        return not path.exists()
    finally:
        guard.unlink(missing_ok=True)


def _is_over(path: Path, text: str) -> bool:
    return _age(path) > (STALE_S if text else NAMELESS_S) or _is_dead(_owner(text))


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # it is gone
        return math.inf


def _is_dead(owner: dict[str, Any]) -> bool:
    import psutil

    if owner.get("host") != _host():
        return False
    try:
        process = psutil.Process(owner["pid"])
        # another process may have come to the same number
        other: bool = abs(process.create_time() - owner["born"]) > 60
        return other or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def _owner(text: str) -> dict[str, Any]:
    try:
        owner = json.loads(text)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None if isinstance(error, FileNotFoundError) else ""


def _myself() -> dict[str, Any]:
    return {"host": _host(), "pid": os.getpid(), "born": _born(os.getpid())}


@cache
def _born(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).create_time())


@cache
def _host() -> str:
    """This machine since its last start; containers on it count their processes apart."""
    places = (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid"))
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known += [places[0].read_text().strip()[:8], str(places[1].readlink())]
    return " ".join(known)
