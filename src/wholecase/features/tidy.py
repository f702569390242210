"""What killed processes leave: half-written neighbours and locks of nobody. No reader sees them."""

import contextlib
import time
from pathlib import Path

from wholecase.core.lock import is_held, owner_died

OLD_S = 3600.0
"""No bag takes an hour to write: a neighbour of this age was forsaken."""
LOCK = ".lock"


def tidy(folder: Path) -> int:
    """Remove what killed processes left in a store; how many files that were.

    The neighbours of bags whose maker died on this host go at once, others when they are old.
    """
    gone = 0
    for lock in [path for path in leftovers(folder) if path.name.endswith(LOCK)]:
        if is_held(lock):
            continue
        if owner_died(lock):
            key = lock.name.removeprefix(".").removesuffix(LOCK)
            gone += sum(_removed(part) for part in folder.glob(f".{key}.*.part.*"))
        gone += _removed(lock)
    old = (path for path in leftovers(folder) if not path.name.endswith(LOCK) and _is_old(path))
    return gone + sum(_removed(path) for path in old)


def leftovers(folder: Path) -> list[Path]:
    """Neighbours, and locks of whoever, in a store's folder."""
    found = (path for path in folder.glob(".*") if path.is_file())
    return sorted(p for p in found if ".part" in p.suffixes or p.suffix in {LOCK, ".over"})


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD_S
    except OSError:
        return False


def _removed(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.unlink()
        return True
    return False
