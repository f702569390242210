"""Pictures inside the page: small JPEGs as data URIs, within a budget for the whole page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.report.run import CasePictures

if TYPE_CHECKING:
    from PIL.Image import Image

PAGE_BYTES = 8_000_000
"""For the pictures of all cases together."""
SHEET_BYTES = 1_500_000
"""For the contact sheet of tissue; base64 makes 12.7 MB of both, and the page stays under 15."""
MOST_CASE_BYTES = 160_000
"""For one case: enough for sharp pictures, however few the cases."""
QUALITIES = (84, 64, 44)
TILES = 6
"""Of a case's tiles, this many are shown."""


@dataclass(frozen=True)
class Inlined:
    """A case's pictures as data URIs; empty text where there is none."""

    thumbnail: str = ""
    heatmap: str = ""
    tiles: tuple[str, ...] = ()


def inlined(pictures: CasePictures | None, case_bytes: int) -> Inlined:
    """A case's pictures, small enough to take `case_bytes` together before base64."""
    if pictures is None:
        return Inlined()
    tiles = pictures.tiles[:TILES]
    each = round(0.25 * case_bytes / max(len(tiles), 1))
    shown = (_jpeg(tile, 112, each) for tile in tiles)
    return Inlined(
        thumbnail=_jpeg(pictures.thumbnail, 320, round(0.3 * case_bytes)),
        heatmap=_jpeg(pictures.heatmap, 560, round(0.45 * case_bytes)),
        tiles=tuple(tile for tile in shown if tile),
    )


def contact_sheet(pictures: Sequence[Path | None]) -> list[str]:
    """Small pictures as data URIs, the smaller the more there are; no text for a missing one."""
    each = min(SHEET_BYTES // max(len(pictures), 1), 14_000)
    return [_jpeg(path, 200, each) for path in pictures]


def case_bytes(cases: int) -> int:
    """How much one of so many cases may take.

    >>> case_bytes(40), case_bytes(200)
    (160000, 40000)
    """
    return min(PAGE_BYTES // max(cases, 1), MOST_CASE_BYTES)


def _jpeg(path: Path | None, longest_px: int, most_bytes: int) -> str:
    """The picture as a data URI; no text where it is missing or damaged."""
    if path is None:
        return ""
    from PIL import Image as Images

    try:
        with Images.open(path) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, Images.DecompressionBombError):
        return ""
    picture.thumbnail((longest_px, longest_px), Images.Resampling.LANCZOS)
    return "data:image/jpeg;base64," + base64.b64encode(_compressed(picture, most_bytes)).decode()


def _compressed(picture: "Image", most_bytes: int) -> bytes:
    """The picture as a JPEG of so many bytes: first at less quality, then at less size."""
    while True:
        for quality in QUALITIES:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            if file.tell() <= most_bytes or max(picture.size) <= 48:
                return file.getvalue()
        shrink = min(0.95 * (most_bytes / file.tell()) ** 0.5, 0.9)  # bytes go with the area
        picture = picture.resize([max(round(side * shrink), 1) for side in picture.size])
