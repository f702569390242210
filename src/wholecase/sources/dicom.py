"""A DICOM whole-slide image, frame by frame: one file, or the files of a series as its levels."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import SourceError
from wholecase.sources.bytes_of import BytesOf
from wholecase.sources.claims import Claim, judged
from wholecase.sources.damage import damage
from wholecase.sources.dicom_frames import frame_bytes, frame_spans
from wholecase.sources.dicom_header import Instance, read_instance
from wholecase.sources.dicom_order import runs_down
from wholecase.sources.dicom_pixels import decoded
from wholecase.sources.dicom_series import slide_files
from wholecase.sources.fitting import fitted
from wholecase.sources.mosaic import Mosaic, Painter, grid_of
from wholecase.sources.painted import PaintedSource
from wholecase.sources.pyramid import Kept, belongs
from wholecase.sources.samples import Window, refuse_window
from wholecase.sources.source import Header
from wholecase.sources.spacing_rungs import climb

_BESIDE = ("LABEL", "OVERVIEW", "THUMBNAIL")


@final
class DicomSource(PaintedSource):
    """A slide in DICOM, whose frames are decoded where they are asked for.

    Args:
        path: a file, whose neighbours of the same series are its other levels, or their folder.
        mpp: the manifest's spacing; goes before the file's own.
        window: the manifest's black and white among samples of more than 8 bits.
    """

    def __init__(self, path: Path, mpp: float | None = None, window: Window | None = None) -> None:
        self._window = window
        with damage(f"{path}: damaged or unusual DICOM"), contextlib.ExitStack() as opened:
            self._instances = _pyramid(path, [read_instance(file) for file in slide_files(path)])
            if self._instances[0].coding.bits_stored <= 8:
                refuse_window(path, window)
            self._files = [
                opened.enter_context(contextlib.closing(BytesOf(one.path)))
                for one in self._instances
            ]
            self._spans = [
                frame_spans(file, one.pixels)
                for file, one in zip(self._files, self._instances, strict=True)
            ]
            self._instances = tuple(self._ordered(i, o) for i, o in enumerate(self._instances))
            notes = judged(path, _claims(self._instances), sparse=True)
            self._keep_levels(
                fitted(self._instances[0].path, "dicom", self._mosaics(), self._frame)
            )
            opened.pop_all()  # they stay open where nothing was raised
        self._painter = Painter(self._mosaics(), self._frame)
        found = climb(mpp, self._instances[0].rungs)
        tile_px = self._instances[0].mosaic.tile_px
        self.header = Header(
            path, self._painter.levels, found.spacing, found.note, tile_px, notes, reader="dicom"
        )

    def close(self) -> None:
        """Give the files back."""
        super().close()
        for file in self._files:
            file.close()

    def _mosaics(self) -> list[Mosaic]:
        return [one.mosaic for one in self._instances]

    def _keep_levels(self, kept: Kept) -> None:
        """Forget the instances that show something else than the first."""
        numbers = [number for number, _ in kept]
        for number in set(range(len(self._files))) - set(numbers):
            self._files[number].close()
        self._instances = tuple(self._instances[number] for number in numbers)
        self._files = [self._files[number] for number in numbers]
        self._spans = [self._spans[number] for number in numbers]

    def _ordered(self, level: int, one: Instance) -> Instance:
        def frame(number: int) -> UInt8[np.ndarray, "h w 3"]:
            return self._frame(level, number)

        if one.order_told or not runs_down(frame, len(one.frames)):
            return one
        # the same corners, column by column
        by_column = np.lexsort(one.mosaic.corners_px.T[::-1])
        corners = one.mosaic.corners_px[by_column]
        return replace(one, mosaic=replace(one.mosaic, corners_px=corners))

    def _frame(self, level: int, tile: int) -> UInt8[np.ndarray, "h w 3"]:
        one, file = self._instances[level], self._files[level]
        number = int(one.frames[tile])
        with damage(f"{one.path}: frame {number + 1} of level {level} cannot be decoded"):
            data = frame_bytes(file, self._spans[level][number], one.pixels)
            return decoded(data, one.coding, self._window)


def _claims(instances: Sequence[Instance]) -> list[Claim]:
    return [
        Claim(
            what=f"level {number}",
            size_px=(one.mosaic.width_px, one.mosaic.height_px),
            belong=belong,
            listed=belong,
            # frames of TILED_SPARSE may overlap
            stored=min(belong, len(one.frames)),
        )
        for number, one in enumerate(instances)
        for belong in [math.prod(grid_of(one.mosaic.size_px, one.mosaic.tile_px))]
    ]


def _pyramid(path: Path, instances: list[Instance]) -> tuple[Instance, ...]:
    distinct = {one.uid: one for one in instances if one.flavour not in _BESIDE}
    levels = sorted(distinct.values(), key=lambda one: -one.mosaic.width_px)
    if not levels:
        raise SourceError(f"{path}: only pictures beside the slide; fetch its VOLUME instances")
    sizes = [(one.mosaic.width_px, one.mosaic.height_px) for one in levels]
    if len(set(sizes)) < len(sizes):
        raise SourceError(
            f"{path}: two instances of one size in its series; keep one focal plane and one "
            f"optical path"
        )
    return tuple(one for one, size in zip(levels, sizes, strict=True) if belongs(size, sizes[0]))
