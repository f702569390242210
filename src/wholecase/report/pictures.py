"""Pictures inside the page: small JPEGs as data URIs, within a budget for the whole page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.report.records import CasePictures

if TYPE_CHECKING:
    from PIL.Image import Image

PAGE_BYTES = 7_800_000
"""For the pictures of all cases together, those of the worst errors counted twice."""
SHEET_BYTES = 1_500_000
"""For the contact sheet of tissue; base64 makes 12.4 MB of both, and the page stays under 15."""
MOST_CASE_BYTES = 160_000
"""For one case: enough for sharp pictures, however few the cases."""
QUALITIES = (84, 64, 44)
TILES = 4
"""Of a case's most attended tiles, and of its least attended ones, this many are shown."""
TISSUE = 3
"""Of a case's images, so many are shown with the outline of their tissue."""
ERRORS = 6
"""Wrong decisions that are shown in full above the table: their pictures stand there again."""
SHARES = {"thumbnail": 0.26, "heatmap": 0.4, "tiles": 0.15, "least": 0.11, "tissue": 0.08}
"""Of a case's bytes; what looks alike compresses alike, so that area decides."""


@dataclass(frozen=True)
class Inlined:
    """A case's pictures as data URIs; empty text where there is none."""

    thumbnail: str = ""
    heatmap: str = ""
    tiles: tuple[str, ...] = ()
    """Most attended first."""
    least: tuple[str, ...] = ()
    """Least attended first."""
    tissue: tuple[str, ...] = ()
    """Images of the case with the outline of what was taken as tissue."""


def inlined(
    pictures: CasePictures | None, tissue: Sequence[Path | None], case_bytes: int
) -> Inlined:
    """A case's pictures, small enough to take `case_bytes` together before base64."""

    def several(paths: Sequence[Path | None], name: str, longest_px: int) -> tuple[str, ...]:
        each = round(SHARES[name] * case_bytes / max(len(paths), 1))
        shown = (_jpeg(path, longest_px, each) for path in paths)
        return tuple(picture for picture in shown if picture)

    outlines = several(tissue[:TISSUE], "tissue", 240)
    if pictures is None:
        return Inlined(tissue=outlines)
    return Inlined(
        thumbnail=_jpeg(pictures.thumbnail, 560, round(SHARES["thumbnail"] * case_bytes)),
        heatmap=_jpeg(pictures.heatmap, 720, round(SHARES["heatmap"] * case_bytes)),
        tiles=several(pictures.tiles[:TILES], "tiles", 144),
        least=several(pictures.least[:TILES], "least", 144),
        tissue=outlines,
    )


def contact_sheet(pictures: Sequence[Path | None]) -> list[str]:
    """Small pictures as data URIs, the smaller the more there are; no text for a missing one."""
    each = min(SHEET_BYTES // max(len(pictures), 1), 14_000)
    return [_jpeg(path, 200, each) for path in pictures]


def case_bytes(cases: int) -> int:
    """How much one of so many cases may take.

    >>> case_bytes(40), case_bytes(200)
    (160000, 37864)
    """
    return min(PAGE_BYTES // (cases + ERRORS), MOST_CASE_BYTES)


def _jpeg(path: Path | None, longest_px: int, most_bytes: int) -> str:
    """The picture as a data URI; no text where it is missing or damaged."""
    if path is None:
        return ""
    from PIL import Image as Images

    try:
        with Images.open(path) as opened:
            picture = opened if opened.mode == "RGB" else opened.convert("RGB")
            size = (longest_px, longest_px)
            picture.thumbnail(size, Images.Resampling.LANCZOS, reducing_gap=2.0)
            picture.load()  # a small one was not touched so far
    except (OSError, ValueError, Images.DecompressionBombError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(_compressed(picture, most_bytes)).decode()


def _compressed(picture: "Image", most_bytes: int) -> bytes:
    """The picture as a JPEG of so many bytes: first at less quality, then at less size."""
    qualities: tuple[int, ...] = QUALITIES
    while True:
        for quality in qualities:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            if file.tell() <= most_bytes or max(picture.size) <= 48:
                return file.getvalue()
        qualities = QUALITIES[-1:]
        shrink = min(0.95 * (most_bytes / file.tell()) ** 0.5, 0.9)  # bytes go with the area
        picture = picture.resize([max(round(side * shrink), 1) for side in picture.size])
