"""A slide that is judged everywhere: what reading processes do with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from jaxtyping import Bool, UInt8

from wholecase.cohort import Image
from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import SourceError
from wholecase.instances.blocks import Block, blocks
from wholecase.instances.raster import Raster, raster_of, touched
from wholecase.instances.tissue import find_tissue, read_tissue, segmenter_of
from wholecase.sources import Thumbnail, fingerprint, open_source, thumbnail

CLASSICAL: Mapping[str, Any] = {"name": "classical"}
LEAST_PICTURE_PX, MOST_PICTURE_PX = 1024, 2048
"""Longer side of the picture that is read along: more where cells would be smaller than a pixel."""


@dataclass(frozen=True)
class Sweep:
    """What is to be judged: an image, by windows of one side and spacing."""

    name: str
    """Of the result's files."""
    image: Image
    side_px: int
    spacing_um: float
    stride_px: int
    tissue: Mapping[str, Any] = field(default_factory=lambda: dict(CLASSICAL))
    """The mask of that name, a key of `TISSUES`, with its options."""


@final
class Surveyed:
    """Where a slide's windows lie; small, since all slides of a cohort are surveyed first."""

    def __init__(
        self, sweep: Sweep, raster: Raster, wanted: Bool[np.ndarray, "rows columns"]
    ) -> None:
        self.sweep, self.raster = sweep, raster
        self.windows = int(wanted.sum())
        """How many there are to judge."""
        self._bits = np.packbits(wanted)

    @property
    def wanted(self) -> Bool[np.ndarray, "rows columns"]:
        """The cells that tissue touches."""
        rows, columns = self.raster.shape
        flat: UInt8[np.ndarray, " n"] = np.unpackbits(self._bits, count=rows * columns)
        return flat.astype(bool).reshape(rows, columns)


def identify(sweep: Sweep) -> str:
    """Stands for the slide's content, its outline, and all by which it is to be judged.

    Raises:
        SourceError: the image or its outline is missing or cannot be read.
    """
    image = sweep.image
    try:
        content = fingerprint(image.path)
        outline = None if image.tissue is None else file_digest(image.tissue)
    except OSError as error:
        raise SourceError(
            f"{error.filename or image.path}: cannot be read ({error.strerror}); correct the path "
            f"in the manifest, or mend its rights"
        ) from error
    return digest(
        content=content,
        outline=outline,
        kind=image.kind,
        mpp=image.mpp,
        windows=[sweep.side_px, sweep.spacing_um, sweep.stride_px],
        tissue=segmenter_of(sweep.tissue).settings,
    )


def survey(sweep: Sweep) -> Surveyed:
    """Find the tissue, and with it the windows; an outline of the manifest goes first.

    Raises:
        NoTissueError: there is no tissue.
        SpacingError: the image tells no spacing, or is too coarse.
        SourceError: the image or the outline cannot be read.
    """
    image = sweep.image
    with open_source(image.path, image.kind, image.mpp) as source:
        raster = raster_of(
            source,
            side_px=sweep.side_px,
            spacing_um=sweep.spacing_um,
            stride_px=sweep.stride_px,
        )
        if image.tissue is not None:
            tissue = read_tissue(source, raster.spacing_um, image.tissue)
        else:
            tissue = find_tissue(source, raster.spacing_um, segmenter_of(sweep.tissue))
        return Surveyed(sweep, raster, touched(source, raster, tissue))


def sweep_blocks(surveyed: Surveyed) -> Iterator[Thumbnail | Block]:
    """The picture of the slide, then its blocks.

    Raises:
        SourceError: something cannot be decoded.
    """
    image = surveyed.sweep.image
    with open_source(image.path, image.kind, image.mpp) as source:
        most = max(LEAST_PICTURE_PX, *surveyed.raster.shape)
        yield thumbnail(source, min(most, MOST_PICTURE_PX))
        yield from blocks(source, surveyed.raster, surveyed.wanted)
