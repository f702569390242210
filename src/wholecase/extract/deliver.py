"""One image from file to pixels: what is done wherever the encoder is not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int64, Integer

from wholecase.core.errors import NoTissueError
from wholecase.core.kinds import PixelKind
from wholecase.extract.jobs import Job, Reference
from wholecase.extract.picture import jpeg
from wholecase.extract.readable import Readable
from wholecase.extract.retrying import RetryingSource
from wholecase.extract.stages import Stages
from wholecase.features import GEOJSON, PICTURE
from wholecase.instances import Cut, Instances, tissue_geojson, tissue_picture
from wholecase.sources import ImageSource, one_value, open_source, refuse_one_value


@dataclass(frozen=True)
class Opened:
    """First of an image: what is to be read, and what later pages tell of it."""

    instances: Instances
    """Without the pixels by which the tissue was found."""
    kind: PixelKind
    """Of its pixels."""
    facts: dict[str, str]
    beside: dict[str, bytes]
    """What people may want to see of it, by the ending of the file."""


@dataclass(frozen=True)
class Pixels:
    """Then some of its instances, again and again."""

    indices: Int64[np.ndarray, " n"]
    pixels: Integer[np.ndarray, "n side side channels"]


@dataclass(frozen=True)
class Delivered:
    """Last, when all were read that can be."""

    skipped: Int64[np.ndarray, " s"]
    seconds: dict[str, float]


def deliver(job: Job) -> Iterator[Opened | Pixels | Delivered]:
    """The instances of the job's image, in bounded batches.

    Raises:
        StageError: with the stage at which the image failed and the reason.
    """
    return deliver_image(job.image, job.cut, job.tolerated)


def deliver_image(
    image: Reference, cut: Cut, tolerated: float
) -> Iterator[Opened | Pixels | Delivered]:
    """The same of an image that no job is about.

    Raises:
        StageError: with the stage at which the image failed and the reason.
    """
    stages = Stages(image.path)
    with stages("open"):
        source = RetryingSource(
            partial(open_source, image.path, image.kind, image.mpp, image.window)
        )
    with source:
        # what may be wrong there besides spacing and pixels is the outline, where there is one
        with stages("cut", failing="tissue" if image.outline else "spacing"):
            instances = _cut(source, cut, image.outline)
            opened = _opened(source, instances)
        with stages("open", failing="read"):
            refuse_one_value(source)
        yield opened
        instances = opened.instances
        readable = Readable(source, instances, tolerated)
        before, batches = source.seconds, readable.batches()
        while True:
            with stages("tiles", failing="read"):
                batch = next(batches, None)
            if batch is None:
                break
            yield Pixels(*batch)
        seconds = dict(stages.seconds)
        tiles, read = seconds.pop("tiles"), source.seconds - before
    yield Delivered(readable.skipped, {**seconds, "read": read, "transform": tiles - read})


def _cut(source: ImageSource, cut: Cut, outline: Path | None) -> Instances:
    try:
        return cut(source, outline)
    except NoTissueError as error:
        if why := one_value(source):
            raise NoTissueError(why, picture=error.picture) from error
        raise


def facts_of(source: ImageSource, instances: Instances) -> dict[str, str]:
    """What later pages tell of the image."""
    facts = {
        "width_px": str(source.levels[0].width_px),
        "height_px": str(source.levels[0].height_px),
    }
    if source.spacing is not None:
        facts |= {"spacing_um": repr(source.spacing.um), "spacing_rung": source.spacing.rung}
    if source.header.reader:
        facts["reader"] = source.header.reader
    if instances.upsampled > 1:
        facts["upsampling"] = f"{instances.upsampled:.4g}"
    if instances.squares is not None:
        facts["squares"] = str(instances.squares)
    return facts


def _opened(source: ImageSource, instances: Instances) -> Opened:
    beside = {}
    if instances.tissue is not None:
        read_px = None if instances.squares is None else instances.box_px
        beside = {
            GEOJSON: tissue_geojson(instances.tissue).encode(),
            PICTURE: jpeg(tissue_picture(instances.tissue, read_px=read_px)),
        }
    bare = replace(instances, tissue=None)
    return Opened(bare, source.kind, facts_of(source, instances), beside)
