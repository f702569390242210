"""What a reader wants to see of a case: slide, where the model looked, tiles that counted."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as Picture

from wholecase.answer.scale_pictures import scales_picture
from wholecase.answer.series_pictures import draw_series, is_series, with_marks
from wholecase.answer.tiles import read_tiles
from wholecase.cohort import Case
from wholecase.core.errors import SourceError
from wholecase.core.files import atomic
from wholecase.explain import (
    AUTO,
    Evidence,
    enlarged,
    least_instances,
    numbers,
    overlay,
    paint,
    read_evidence,
    shown,
    top_instances,
)
from wholecase.runs import RunFolder
from wholecase.sources import (
    ImageSource,
    Thumbnail,
    as_picture,
    open_source,
    thumbnail,
)

THUMBNAIL_PX = 1024
RUNS = cv2.IMWRITE_PNG_STRATEGY_RLE
TILES = 4
"""Tiles shown per case: so many of the most attended, and of the least."""


@dataclass(frozen=True)
class Sitting:
    """One case whose pictures are to be drawn; travels to a worker process."""

    case: Case
    run: RunFolder
    shades: tuple[float, float] | None = None
    """What is shown black and white, as in `as_picture`."""
    marked: tuple[int, ...] = ()
    """Of a series the instances in which a person marked the finding."""


def draw(sitting: Sitting) -> dict[str, Any]:
    """Draw a case's thumbnail, heatmap and tiles; returns their paths within the run.

    `tiles` are the most attended, most first; `least` the least attended of the others, least
    first; `heat` the numbers of the heatmap's colours; `maps` where within an instance a model that
    sees pixels looked, `scales` the same of one view of each magnification. The thumbnail is of the
    image that holds the instance of greatest weight. A tile that cannot be read is left out; a case
    of one instance has none, since the thumbnail shows it. A series is shown by its slices
    (`draw_series`).
    """
    case, run = sitting.case, sitting.run
    evidence = read_evidence(run.evidence(case.id))
    if is_series(case, evidence):
        series = draw_series(case, evidence, sitting.shades, partial(_saved, run, case))
        return with_marks(series, evidence, sitting.marked)
    weights = evidence.weights.mean(1)
    best = int(evidence.image[weights.argmax()])
    shown_tiles = TILES if len(weights) > 1 else 0
    most = top_instances(weights, shown_tiles).tolist()
    least = least_instances(weights, shown_tiles, apart=TILES).tolist()
    tiles: dict[int, np.ndarray] = {}
    drawn: dict[str, Any] = {}
    # each image is opened once, that of the thumbnail as well
    for number in sorted({best, *evidence.image[[*most, *least]].tolist()}):
        image = case.images[number]
        try:
            with open_source(image.path, image.kind, image.mpp, image.window) as source:
                here = [i for i in (*most, *least) if evidence.image[i] == number]
                tiles |= read_tiles(source, evidence, here, shades=sitting.shades)
                if number == best:
                    drawn |= _whole(sitting, source, evidence.of_image(number))
        except SourceError:
            if number == best:
                raise
    for name, file, wanted in (("tiles", "tile", most), ("least", "least", least)):
        there = [i for i in wanted if i in tiles]
        drawn[name] = [_saved(run, case, f"{file}{n}.jpg", tiles[i]) for n, i in enumerate(there)]
    if (scales := scales_picture(case, evidence, sitting.shades)) is not None:
        drawn["scales"] = _saved(run, case, "scales.jpg", scales)
    return drawn


def heat(
    source: ImageSource,
    evidence: Evidence,
    *,
    longest_px: int = THUMBNAIL_PX,
    scale: str = AUTO,
    small: Thumbnail | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """What an image's instances say, or how they were attended, over its thumbnail.

    `scale` is `auto` or a key of `SCALES`; legend and scale bar lie below. `small` is the thumbnail
    where it was read already.
    """
    small = small or thumbnail(source, longest_px)
    pixels = as_picture(small.pixels, source.kind)
    spacing = None if source.spacing is None else source.spacing.um
    values, scale = shown(evidence, scale)
    return paint(
        pixels,
        small.downsample,
        evidence.box_px,
        values,
        scale=scale,
        spacing_um=spacing,
    )


def save_picture(path: Path, pixels: UInt8[np.ndarray, "H W 3"]) -> None:
    """Write a picture in the format of its suffix, whole or not at all."""
    with atomic(path) as neighbour:
        if path.suffix in {".jpg", ".jpeg"}:
            Picture.fromarray(pixels).save(neighbour, quality=88)
        elif path.suffix == ".png":  # 2.5 times as fast as Pillow's, and no larger
            quick = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, RUNS]
            _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]), quick)
            neighbour.write_bytes(encoded.tobytes())
        else:
            Picture.fromarray(pixels).save(neighbour)


def _whole(sitting: Sitting, source: ImageSource, here: Evidence) -> dict[str, Any]:
    case, run = sitting.case, sitting.run
    small = thumbnail(source, THUMBNAIL_PX)
    seen = as_picture(small.pixels, source.kind, sitting.shades)
    files: dict[str, Any] = {"thumbnail": _saved(run, case, "thumbnail.jpg", seen)}
    if maps := map_pictures(source, here, sitting.shades):
        files["maps"] = {n: _saved(run, case, f"{n}.jpg", pixels) for n, pixels in maps.items()}
    if len(here.weights) > 1:
        files["heatmap"] = _saved(run, case, "heatmap.jpg", heat(source, here, small=small))
        files["heat"] = numbers(shown(here)[1])._asdict()
    return files


def map_pictures(
    source: ImageSource, here: Evidence, shades: tuple[float, float] | None = None
) -> dict[str, UInt8[np.ndarray, "_ _ 3"]]:
    """Where within the instance of greatest weight of an open image, by the name of the method."""
    if not here.maps:
        return {}
    top = int(here.weights.mean(1).argmax())
    side = max(here.box_px[top, 2:].tolist())
    pixels = enlarged(read_tiles(source, here, [top], side_px=side, shades=shades)[top])
    return {name: overlay(pixels, maps[top]) for name, maps in here.maps.items()}


def _saved(run: RunFolder, case: Case, what: str, pixels: np.ndarray) -> str:
    path = run.picture(case.id, what)
    save_picture(path, pixels)
    return path.relative_to(run.root).as_posix()
