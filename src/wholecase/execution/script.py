"""Workers that do not read the caller's script again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def script_left_out(*needed: object) -> Iterator[None]:
    """Children started inside are not told which script the parent is.

    A spawned process otherwise begins by running the script, and a script whose calls do not stand
    under `if __name__ == "__main__":` would start everything a second time. What workers run comes
    from packages; where something `needed` was defined in the script itself, it is told after all.
    """
    main = sys.modules["__main__"]
    if any(getattr(one, "__module__", None) == "__main__" for one in needed):
        yield
        return
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
