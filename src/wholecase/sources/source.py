"""What every image answers: its pyramid, its spacing, a region of its pixels."""

from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Shaped

from wholecase.core.closing import Closing
from wholecase.core.kinds import RGB, PixelKind


@dataclass(frozen=True)
class Level:
    """One level of a pyramid."""

    width_px: int
    height_px: int
    downsample: float
    """How many level-0 pixels one pixel of this level spans."""


@dataclass(frozen=True)
class Spacing:
    """Size of a level-0 pixel, and how it is known."""

    um: float
    """µm/px at level 0."""
    rung: str
    """Where it was found: `manifest`, `openslide.mpp`, `pixel spacing`, `imaged volume`, `ome-xml`,
    `tiff tags`, `objective power`."""


@dataclass(frozen=True)
class Laid:
    """Where the pixels of planes lie in a patient: mm to the left, to the back and upwards."""

    first_mm: Float64[np.ndarray, "planes 3"]
    """Centre of the first pixel of each plane."""
    across_mm: Float64[np.ndarray, "3"]
    """From a pixel to the next in its row."""
    down_mm: Float64[np.ndarray, "3"]
    """From a row to the next."""


@dataclass(frozen=True)
class Header:
    """What is known of an image before a pixel of it is asked for."""

    path: Path
    """The file, for messages."""
    levels: tuple[Level, ...]
    """The pyramid, finest first; a flat image has one level of downsample 1."""
    spacing: Spacing | None = None
    """Physical spacing of level 0, or None where nothing tells it."""
    spacing_note: str = ""
    """What was not believed on the way to the spacing, or why there is none; may be empty."""
    stored_tile_px: tuple[int, int] | None = None
    """Width and height of the tiles the file stores at level 0, None for a flat image."""
    notes: tuple[str, ...] = ()
    """What is left aside or filled in where the file is read, a phrase each; mostly nothing."""
    remarks: tuple[str, ...] = ()
    """What is so, or was chosen by a rule, where nothing is lost."""
    kind: PixelKind = RGB
    """What its pixels are."""
    planes_um: tuple[float, ...] = (0.0,)
    """Height of each plane in µm, as `read` counts them; a flat image has one."""
    reader: str = ""
    """What decodes a slide: `openslide`, `tiff` or `dicom`; empty for other images."""
    laid: Laid | None = field(default=None, compare=False)
    """Where its planes lie in the patient; None where the file does not tell."""


class ImageSource(Closing):
    """One open image. Points are (x, y) in level-0 pixels; arrays are [H, W, channels]."""

    header: Header
    """A source sets it when it is opened."""

    @property
    def path(self) -> Path:
        """The file, for messages."""
        return self.header.path

    @property
    def levels(self) -> tuple[Level, ...]:
        """The pyramid, finest first."""
        return self.header.levels

    @property
    def spacing(self) -> Spacing | None:
        """Physical spacing of level 0, or None."""
        return self.header.spacing

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left aside or filled in."""
        return self.header.notes

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is so, or was chosen by a rule, where nothing is lost."""
        return self.header.remarks

    @property
    def kind(self) -> PixelKind:
        """What its pixels are."""
        return self.header.kind

    @property
    def planes_um(self) -> tuple[float, ...]:
        """Height of each plane in µm."""
        return self.header.planes_um

    @abstractmethod
    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> Shaped[np.ndarray, "H W channels"]:
        """A region of a plane: top left in level-0 pixels, size in pixels of `level`.

        Samples are of the source's kind; outside of the image they are its `outside`.

        Raises:
            SourceError: the region cannot be decoded.
            ValueError: the image is closed, or has no such level or plane.
        """

    def read_into(
        self,
        place: Shaped[np.ndarray, "H W channels"],
        x_px: int,
        y_px: int,
        level: int = 0,
        plane: int = 0,
    ) -> None:
        """The same into a place of the region's size and type; after an error it holds anything.

        Overridden where the region need not be made first and copied then.
        """
        height_px, width_px = place.shape[:2]
        place[...] = self.read(x_px, y_px, width_px, height_px, level, plane)

    def check_place(self, level: int, plane: int) -> None:
        """Refuse to read what is not there.

        Raises:
            ValueError: there is no such level or plane.
        """
        for what, number, count in (
            ("level", level, len(self.levels)),
            ("plane", plane, len(self.planes_um)),
        ):
            if not 0 <= number < count:
                raise ValueError(f"{self.path} has no {what} {number}, but 0 to {count - 1}")
