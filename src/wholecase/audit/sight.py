"""What one image told."""

from dataclasses import dataclass
from pathlib import Path

from wholecase.core.errors import WholecaseError, WorkerDied
from wholecase.features import FeatureOrigin, Numbers

SMALL_PX = 32
"""Side of the grey thumbnail by which images are compared: `Sight.small`."""


@dataclass(frozen=True)
class Sight:
    """What one image told when it was opened; small, for it crosses processes."""

    trouble: str | None = None
    """Why it cannot be used; None where it can."""
    broke: bool = False
    """Whether it took its reader down instead of being refused by it."""
    killed: bool = False
    """Whether its reader was ended from outside, which says nothing of the image."""
    spacing_um: float | None = None
    rung: str = ""
    """Where the spacing was found, or why there is none."""
    size_px: tuple[int, int] | None = None
    """Width and height."""
    slices: int = 1
    """Planes; a flat image has one."""
    step_um: float | None = None
    """From a slice to the next, in the median; None where nothing tells it."""
    small: bytes | None = None
    """A small square grey thumbnail; None where it would take too long."""
    content: str | None = None
    """Digest of the pixels of a picture in an HDF5 file, of the middle slice of a series, or of the
    numbers of a feature file; of others, the file is compared."""
    notes: tuple[str, ...] = ()
    """What is left aside or filled in where it is read."""
    remarks: tuple[str, ...] = ()
    """What is so, or was chosen by a rule, where nothing is lost."""
    features: FeatureOrigin | None = None
    """What a feature file says of its making."""
    numbers: Numbers | None = None
    """What the numbers of a feature file show."""


def sight_of_failure(path: Path, error: WholecaseError | None) -> Sight:
    """What is known of an image whose reader gave no answer."""
    killed = isinstance(error, WorkerDied) and error.killed
    return Sight(trouble=f"{path}: {error}", broke=not killed, killed=killed)
