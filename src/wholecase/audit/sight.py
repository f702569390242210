"""What one image told."""

from dataclasses import dataclass

SMALL_PX = 32
"""Side of the grey thumbnail by which images are compared: `Sight.small`."""


@dataclass(frozen=True)
class Sight:
    """What one image told when it was opened; small, for it crosses processes."""

    trouble: str | None = None
    """Why it cannot be used; None where it can."""
    broke: bool = False
    """Whether it took its reader down instead of being refused by it."""
    spacing_um: float | None = None
    rung: str = ""
    """Where the spacing was found, or why there is none."""
    size_px: tuple[int, int] | None = None
    """Width and height."""
    small: bytes | None = None
    """A small square grey thumbnail; None where it would take too long."""
    content: str | None = None
    """Digest of its pixels, of a picture in an HDF5 file; of others, the file is compared."""
    notes: tuple[str, ...] = ()
    """What is left aside or filled in where it is read."""
    features: tuple[str | None, int] | None = None
    """Encoder, where it is told, and width, of a file of features in HDF5."""
