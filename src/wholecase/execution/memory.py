"""Memory that networks free and ask for again a moment later stays with the process meanwhile."""

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER, MOST = 0, 2**31 - 1
AS_IT_WAS = ((M_MMAP_MAX, 65_536), (M_TRIM_THRESHOLD, 128 * 1024))
"""What glibc does of itself."""


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within, the C library keeps large freed blocks instead of giving them back to the system.

    A step of training or a batch of an encoder frees and allocates the same hundreds of megabytes
    again and again. glibc hands blocks beyond 32 MB back at once, so every step pays for fresh,
    zeroed pages: up to half of its time (docs/decisions/0010). Within the block the process stays
    as large as it once was; at the end the rest is given back. Elsewhere than on glibc nothing
    happens.
    """
    keep_freed_memory()
    try:
        yield
    finally:
        if (library := _glibc()) is not None:
            for name, value in AS_IT_WAS:
                library.mallopt(name, value)
            library.malloc_trim(0)


def keep_freed_memory() -> None:
    """The same until the process ends: for workers that do nothing else."""
    if (library := _glibc()) is not None:
        library.mallopt(M_MMAP_MAX, NEVER)
        library.mallopt(M_TRIM_THRESHOLD, MOST)


def _glibc() -> Any:  # noqa: ANN401 (functions found by name)
    library: Any = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
