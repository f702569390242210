"""Where in the work an image stands: what its time goes to, and where it failed."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np

from wholecase.core.errors import NoTissueError, SpacingError, WholecaseError
from wholecase.extract.retrying import UndecodableError
from wholecase.features import UnwritableError


@final
class StageError(WholecaseError):
    """An image failed at a stage; travels between processes."""

    def __init__(self, stage: str, reason: str, picture: np.ndarray | None = None) -> None:
        super().__init__(stage, reason, picture)
        self.stage, self.reason = stage, reason
        self.picture = picture
        """The small image that was judged, uint8 [h, w, 3], where it was found to be bare."""

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
        """Time a piece of work; its errors say at which stage: `failing`, else the work's name.

        That the store's disk is full is no image's fault, and passes as it is.
        """
        started = time.perf_counter()
        try:
            yield
        except UnwritableError:
            raise
        except WholecaseError as error:
            picture = error.picture if isinstance(error, NoTissueError) else None
            raise StageError(_stage(error, failing or work), str(error), picture) from error
        except Exception as error:  # any decoder's error costs this image only
            reason = f"{self._path}: {type(error).__name__}: {error}"
            raise StageError(failing or work, reason) from error
        finally:
            spent = time.perf_counter() - started
            self.seconds[work] = self.seconds.get(work, 0.0) + spent


def _stage(error: WholecaseError, stage: str) -> str:
    """Where it went wrong, as far as the error itself knows better than who asks."""
    known = {NoTissueError: "tissue", SpacingError: "spacing", UndecodableError: "read"}
    return next((name for kind, name in known.items() if isinstance(error, kind)), stage)
