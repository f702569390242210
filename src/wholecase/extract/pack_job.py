"""A pack of images from their files to the store: what a worker does where nothing is encoded."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import final

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.core.files import atomic
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.picture_digests import picture_digests
from wholecase.extract.deliver import Opened, Pixels, deliver_image
from wholecase.extract.failures import Trouble
from wholecase.extract.jobs import Reference
from wholecase.extract.stages import StageError
from wholecase.features import (
    PackIndex,
    PixelStore,
    RowWriter,
    chunks,
    content_digest,
    unwritable,
)
from wholecase.instances import Cut, Instances, sole_instance
from wholecase.sources import IndexedImages, resized, split_index

BLOCK = 512
"""Pictures of an indexed file that are read at a time."""


@dataclass(frozen=True)
class Wanted:
    """One image whose pixels are to be stored under a key."""

    key: str
    image: Reference
    cut: Cut


@dataclass(frozen=True)
class PackJob:
    """Images that make a pack."""

    store: PixelStore
    images: tuple[Wanted, ...]
    tolerated: float
    """Share of an image's instances that may be undecodable."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Of its images."""
        return tuple(wanted.key for wanted in self.images)


@dataclass(frozen=True)
class Packed:
    """What became of a pack."""

    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    images: int = 0
    instances: int = 0


def pack_images(job: PackJob) -> Packed:
    """Decode the images and write them as one pack; those that fail are left out and told.

    Raises:
        UnwritableError: the disk is full or may not be written; nothing is left of the pack.
    """
    started = time.perf_counter()
    path = job.store.rows_path(job.keys)
    try:
        with atomic(path) as neighbour, RowWriter(neighbour, job.store.kind.dtype) as writer:
            pack = Pack(writer, job.store.kind)
            for file, wanted in groupby(job.images, _file):
                if file is None:
                    pack.take_images(wanted, job.tolerated)
                else:
                    pack.take_indexed(file, list(wanted))
        if pack.keys:
            job.store.write_index(job.keys, pack.index(), writer.shape)
        else:
            path.unlink()
    except OSError as error:
        raise unwritable(path, error) from error
    return Packed(
        troubles=pack.troubles,
        skipped=pack.skipped,
        seconds={"read": time.perf_counter() - started},
        images=len(pack.keys),
        instances=writer.shape[0],
    )


def _file(wanted: Wanted) -> Path | None:
    # what is to be refused is opened alone, which says why
    indexed = None if wanted.image.window is not None else split_index(wanted.image.path)
    return indexed[0] if indexed else None


def _another_kind(wanted: Wanted, kind: PixelKind, stored: PixelKind) -> str:
    return (
        f"{wanted.image.path}: holds {kind.name} pixels, and its cohort is of "
        f"{stored.name}; keep images of one kind of pixels in a cohort"
    )


@final
class Pack:
    """Images that are being written one behind another."""

    def __init__(self, writer: RowWriter, kind: PixelKind) -> None:
        self._writer, self._kind = writer, kind
        self._contents: list[str] = []
        self._starts = [0]
        self._sizes: list[tuple[int, int]] = []
        self._parts: list[Instances] = []
        self.keys: list[str] = []
        self.troubles: dict[str, Trouble] = {}
        self.skipped: dict[str, int] = {}

    def take_images(self, images: Iterable[Wanted], tolerated: float) -> None:
        """Decode images that have a file each."""
        for wanted in images:
            try:
                self._take(wanted, tolerated)
            except StageError as error:
                self.troubles[wanted.key] = error.stage, error.reason
                self._writer.rewind(self._starts[-1])

    def take_indexed(self, file: Path, images: Sequence[Wanted]) -> None:
        """Decode images that lie in one file."""
        if self._kind != RGB:
            for wanted in images:
                trouble = "open", _another_kind(wanted, RGB, self._kind)
                self.troubles[wanted.key] = trouble
            return
        try:
            with IndexedImages(file) as pictures:
                for part in chunks(images, BLOCK):
                    self._take_block(pictures, part)
        except SourceError as error:
            lost = [wanted.key for wanted in images if wanted.key not in set(self.keys)]
            self.troubles |= dict.fromkeys(lost, ("read", str(error)))

    def index(self) -> PackIndex:
        """Whose the rows are."""
        planes = [part.planes for part in self._parts]
        return PackIndex(
            keys=tuple(self.keys),
            contents=tuple(self._contents),
            starts=np.array(self._starts, np.int64),
            box_px=np.concatenate([part.box_px for part in self._parts]),
            position_um=np.concatenate([part.position_um for part in self._parts]),
            scale=np.concatenate([part.scale for part in self._parts]),
            size_px=np.array(self._sizes, np.int64),
            plane=np.concatenate(planes),
        )

    def _take(self, wanted: Wanted, tolerated: float) -> None:
        names: list[str] = []
        order: list[np.ndarray] = []
        for message in deliver_image(wanted.image, wanted.cut, tolerated):
            if isinstance(message, Opened):
                if message.kind != self._kind:
                    raise StageError("open", _another_kind(wanted, message.kind, self._kind))
                opened = message
            elif isinstance(message, Pixels):
                self._writer.write(message.pixels)
                names += picture_digests(message.pixels)
                order.append(message.indices)
            elif len(message.skipped):
                self.skipped[wanted.key] = len(message.skipped)
        size_px = int(opened.facts["width_px"]), int(opened.facts["height_px"])
        self._note(wanted.key, opened.instances, (np.concatenate(order), names), size_px)

    def _take_block(self, pictures: IndexedImages, images: Sequence[Wanted]) -> None:
        rows = np.array([split_index(w.image.path)[1] for w in images], np.int64)  # type: ignore[index]
        pixels = pictures.read(rows)
        side = int(images[0].cut.settings["side_px"])
        if pixels.shape[1:3] != (side, side):
            pixels = np.stack([resized(one, (side, side)) for one in pixels])
        self._writer.write(pixels)
        width, height = pictures.size_px
        only = np.zeros(1, np.int64)
        for wanted, name in zip(images, picture_digests(pixels), strict=True):
            instances = sole_instance((0, 0, width, height), wanted.image.mpp, side)
            self._note(wanted.key, instances, (only, [name]), (width, height))

    def _note(
        self,
        key: str,
        instances: Instances,
        read: tuple[np.ndarray, list[str]],
        size_px: tuple[int, int],
    ) -> None:
        order, names = read
        self._parts.append(instances.only(order))
        self._contents.append(content_digest(names))
        self._starts.append(self._starts[-1] + len(order))
        self._sizes.append(size_px)
        self.keys.append(key)
