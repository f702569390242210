"""Where in the work an image stands: what its time goes to, and where it failed."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import final

from wholecase.core.errors import NoTissueError, SourceError, WholecaseError


@final
class StageError(WholecaseError):
    """An image failed at a stage; travels between processes."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(stage, reason)
        self.stage, self.reason = stage, reason

    def __str__(self) -> str:
        return self.reason


@final
class Stages:
    """The clock of one image.

    >>> stages = Stages(Path("a.svs"))
    >>> with stages("read"):
    ...     pass
    >>> list(stages.seconds)
    ['read']
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, work: str, failing: str | None = None) -> Iterator[None]:
        """Time a piece of work; its errors say at which stage: `failing`, else the work's name."""
        started = time.perf_counter()
        try:
            yield
        except WholecaseError as error:
            raise StageError(_stage(error, failing or work), str(error)) from error
        except Exception as error:  # any decoder's error costs this image only
            reason = f"{self._path}: {type(error).__name__}: {error}"
            raise StageError(failing or work, reason) from error
        finally:
            spent = time.perf_counter() - started
            self.seconds[work] = self.seconds.get(work, 0.0) + spent


def _stage(error: WholecaseError, stage: str) -> str:
    if isinstance(error, NoTissueError):
        return "tissue"
    # the thumbnail that is cut by could not be decoded: only such errors have a cause
    if stage == "spacing" and isinstance(error, SourceError) and error.__cause__ is not None:
        return "read"
    return stage
