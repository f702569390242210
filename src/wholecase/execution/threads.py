"""One thread per worker: equal answers whatever the number of workers, and no fight for cores."""

import contextlib
import os
import sys
from collections.abc import Iterator

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What the numerical libraries read once, when they are loaded."""


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and OpenCV, where they are loaded, compute in one thread; give back as it was."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    torch_before = torch.get_num_threads() if torch else 1
    cv2_before = cv2.getNumThreads() if cv2 else 1
    try:
        _set_threads(1, 1)
        yield
    finally:
        _set_threads(torch_before, cv2_before)


@contextlib.contextmanager
def one_thread_for_children() -> Iterator[None]:
    """Let processes that are started within load their numerical libraries with one thread."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _set_threads(of_torch: int, of_cv2: int) -> None:
    # only what is loaded already: importing torch costs more than many a task
    if (torch := sys.modules.get("torch")) and torch.get_num_threads() != of_torch:
        torch.set_num_threads(of_torch)
    if (cv2 := sys.modules.get("cv2")) and cv2.getNumThreads() != of_cv2:
        cv2.setNumThreads(of_cv2)
