"""One family of errors; each names the culprit and the cure in one sentence."""

import signal
from typing import Any

from wholecase.core.visible import visible


class WholecaseError(Exception):
    """Something that the user can mend. Caught once, by the command line."""

    def __str__(self) -> str:
        """The sentence; names in it cannot steer the terminal that shows it."""
        return visible(super().__str__())


class ManifestError(WholecaseError):
    """The cohort file is wrong; names file, line and column."""


class SplitError(WholecaseError):
    """Patients cannot be divided as asked, or somebody stands on two sides."""


class SourceError(WholecaseError):
    """One image cannot be used. Costs that image, never the batch."""


class SpacingError(SourceError):
    """The physical size of a pixel is unknown, cannot be, or does not fit what is asked for."""


class NoTissueError(SourceError):
    """The image was read, and holds no tissue."""

    def __init__(self, message: str, picture: Any = None) -> None:  # noqa: ANN401
        super().__init__(message)
        self.picture = picture
        """The small image that was judged, uint8 [h, w, 3], or None; it survives pickling."""


class StoreError(WholecaseError):
    """Stored features are missing, damaged or of another kind than asked for."""


class RecipeError(WholecaseError):
    """A recipe names something unknown or gives a value that cannot be."""


class WeightsError(WholecaseError):
    """A weight file does not belong to the network."""


class RunError(WholecaseError):
    """A run folder is incomplete, or of another version, or cannot be made."""


class WorkerDied(WholecaseError):  # noqa: N818 (it says what happened, not what is wrong)
    """A worker process died over one item, and a fresh one, alone with it, died again.

    Args:
        code: exit code of the last process; minus the signal's number where a signal ended it.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended the process, such as `SIGKILL`."""
        try:
            return signal.Signals(-self.code).name if self.code is not None else None
        except ValueError:
            return None

    @property
    def killed(self) -> bool:
        """Whether it was ended from outside, as by a system out of memory: no fault of the item."""
        return self.signal is not None and self.signal not in OWN_FAULT

    def __str__(self) -> str:
        how = self.signal or f"exit code {self.code}"
        cure = "a library failed on it; leave it out, or look at it with the tool that made it"
        if self.killed:
            cure = "something on this machine ended it; find out what, and repeat the command"
        if self.signal == "SIGKILL":
            cure = "memory probably ran out; free some or use smaller batches, and repeat"
        return f"its worker process died ({how}), and again when tried once more alone: {cure}"


OWN_FAULT = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP", "SIGSYS"})
"""Signals that a process brings upon itself."""
