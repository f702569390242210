"""What a reader wants to see of a case: slide, where the model looked, tiles that counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Picture

from wholecase.cohort import Case
from wholecase.core.errors import SourceError
from wholecase.core.files import atomic
from wholecase.explain import (
    Evidence,
    localisation_auc,
    mask_share,
    paint,
    read_evidence,
    top_instances,
)
from wholecase.runs import RunFolder
from wholecase.sources import ImageSource, open_source, read_box, thumbnail

THUMBNAIL_PX = 1024
TILE_PX = 224
TILES = 4
"""Tiles shown per case."""


@dataclass(frozen=True)
class Sitting:
    """One case whose pictures are to be drawn; travels to a worker process."""

    case: Case
    run: RunFolder


def draw(sitting: Sitting) -> dict[str, Any]:
    """Draw a case's thumbnail, heatmap and top tiles; returns their paths within the run.

    The image shown is the one that holds the instance of greatest weight.
    """
    case, run = sitting.case, sitting.run
    evidence = read_evidence(run.evidence(case.id))
    weights = evidence.weights.mean(1)
    best = int(evidence.image[weights.argmax()])
    shown: dict[str, Any] = {"tiles": _tiles(case, evidence, weights, run)}
    image = case.images[best]
    with open_source(image.path, image.kind, image.mpp) as source:
        small = thumbnail(source, THUMBNAIL_PX)
        shown["thumbnail"] = _saved(run, case, "thumbnail.jpg", small.pixels)
        if (evidence.image == best).sum() > 1:
            painted = heat(source, evidence.of_image(best))
            shown["heatmap"] = _saved(run, case, "heatmap.jpg", painted)
    return shown


def heat(
    source: ImageSource, evidence: Evidence, *, longest_px: int = THUMBNAIL_PX, scale: str = "rank"
) -> UInt8[np.ndarray, "H W 3"]:
    """An image's attention over its thumbnail, with legend and scale bar."""
    small = thumbnail(source, longest_px)
    spacing = None if source.spacing is None else source.spacing.um
    return paint(
        small.pixels,
        small.downsample,
        evidence.box_px,
        evidence.weights.mean(1).astype(np.float64),
        scale=scale,
        spacing_um=spacing,
    )


def localise(case: Case, evidence: Evidence, sizes: Mapping[int, tuple[int, int]]) -> float | None:
    """How well attention tells a case's annotated tiles from untouched ones.

    None for a case without masks. `sizes` are width and height of the case's images.
    """
    shares, weights = [], []
    for number, image in enumerate(case.images):
        if image.mask is None or number not in sizes:
            continue
        here = evidence.of_image(number)
        shares.append(mask_share(image.mask, sizes[number], here.box_px))
        weights.append(here.weights.mean(1).astype(np.float64))
    if not shares:
        return None
    return localisation_auc(np.concatenate(weights), np.concatenate(shares))


def save_picture(path: Path, pixels: UInt8[np.ndarray, "H W 3"]) -> None:
    """Write a picture in the format of its suffix, whole or not at all."""
    with atomic(path) as neighbour:
        if path.suffix in {".jpg", ".jpeg"}:
            Picture.fromarray(pixels).save(neighbour, quality=88)
        else:
            Picture.fromarray(pixels).save(neighbour)


def _tiles(case: Case, evidence: Evidence, weights: np.ndarray, run: RunFolder) -> list[str]:
    paths = []
    for rank, index in enumerate(top_instances(weights, TILES).tolist()):
        image = case.images[int(evidence.image[index])]
        x, y, width, height = evidence.box_px[index].tolist()
        try:
            with open_source(image.path, image.kind, image.mpp) as source:
                pixels = read_box(source, (x, y, width, height), (TILE_PX, TILE_PX))
        except SourceError:
            continue
        paths.append(_saved(run, case, f"tile{rank}.jpg", pixels))
    return paths


def _saved(run: RunFolder, case: Case, what: str, pixels: np.ndarray) -> str:
    path = run.picture(case.id, what)
    save_picture(path, pixels)
    return path.relative_to(run.root).as_posix()
