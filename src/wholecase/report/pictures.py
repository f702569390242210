"""Pictures inside the page: small JPEGs as data URIs, within a budget for the whole page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.report.case_series import ShownSeries, shown_series
from wholecase.report.records import CasePictures, HeatKey

if TYPE_CHECKING:
    from PIL.Image import Image

PAGE_BYTES = 7_800_000
"""For the pictures of all cases together, those of the worst errors counted twice."""
SHEET_BYTES = 1_500_000
"""For the contact sheet of tissue; base64 makes 12.4 MB of both, and the page stays under 15."""
MOST_CASE_BYTES = 160_000
"""For one case: enough for sharp pictures, however few the cases."""
QUALITIES = (84, 64, 44)
SMALL_PX, SMALL_QUALITY = 128, 95
"""A small picture is shown enlarged, traces of compression included: it gets a better quality."""
MAPS = {"grad-cam": "Grad-CAM", "attention": "Attention map"}
"""What the page calls the maps of a run; another name stands as it is."""
TILES = 4
"""Of a case's most attended tiles, and of its least attended ones, this many are shown."""
TISSUE = 3
"""Of a case's images, so many are shown with the outline of their tissue."""
ERRORS = 6
"""Wrong decisions that are shown in full above the table: their pictures stand there again."""
SHARES = {
    "thumbnail": 26,
    "heatmap": 40,
    "maps": 60,
    "tiles": 15,
    "least": 11,
    "tissue": 8,
    "slices": 60,
    "sheet": 40,
    "scales": 60,
}
"""How a case's bytes are divided among the kinds of pictures that it has: by area, since what looks
alike compresses alike."""


@dataclass(frozen=True)
class Map:
    """Where within the picture a model that sees pixels looked, drawn over it."""

    name: str
    """What the page calls the method; a word of the glossary, where it is known."""
    picture: str
    """A data URI."""


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
    maps: tuple[Map, ...] = ()
    scales: str = ""
    """Where it looked at each magnification, in a row."""
    heat: HeatKey | None = None
    """What the colours of the heatmap say."""
    series: ShownSeries | None = None
    """Of a series its slices, in place of regions."""


def inlined(
    pictures: CasePictures | None, tissue: Sequence[Path | None], case_bytes: int
) -> Inlined:
    """A case's pictures, small enough to take `case_bytes` together before base64."""
    files = _files(pictures, tissue)
    whole = sum(SHARES[kind] for kind in files)

    def drawn(kind: str, longest_px: int) -> list[str]:
        paths = files.get(kind, ())
        each = round(SHARES[kind] / whole * case_bytes / len(paths)) if paths else 0
        return [jpeg(path, longest_px, each) for path in paths]

    def several(kind: str, longest_px: int) -> tuple[str, ...]:
        return tuple(picture for picture in drawn(kind, longest_px) if picture)

    names = [MAPS.get(name, name) for name, _ in _maps(pictures)] if pictures else []
    return Inlined(
        thumbnail="".join(drawn("thumbnail", 560)),
        heatmap="".join(drawn("heatmap", 720)),
        tiles=several("tiles", 144),
        least=several("least", 144),
        tissue=several("tissue", 240),
        maps=tuple(Map(n, p) for n, p in zip(names, drawn("maps", 384), strict=True) if p),
        scales="".join(drawn("scales", 1152)),
        heat=pictures.heat if pictures else None,
        series=shown_series(pictures, drawn("slices", 288), "".join(drawn("sheet", 768)))
        if pictures
        else None,
    )


def _files(
    pictures: CasePictures | None, tissue: Sequence[Path | None]
) -> dict[str, Sequence[Path | None]]:
    """The picture files of a case by kind; only the kinds that it has."""
    found: dict[str, Sequence[Path | None]] = {"tissue": tissue[:TISSUE]}
    if pictures is not None:
        found |= {
            "thumbnail": [pictures.thumbnail] if pictures.thumbnail else [],
            "heatmap": [pictures.heatmap] if pictures.heatmap else [],
            "maps": [path for _, path in _maps(pictures)],
            "tiles": pictures.tiles[:TILES],
            "least": pictures.least[:TILES],
            "slices": [one.picture for one in pictures.slices[:TILES]],
            "sheet": [pictures.sheet] if pictures.sheet else [],
            "scales": [pictures.scales] if pictures.scales else [],
        }
    return {kind: paths for kind, paths in found.items() if paths}


def _maps(pictures: CasePictures) -> list[tuple[str, Path]]:
    """In the order of `MAPS`; maps that the page does not know come last."""
    known = list(MAPS)
    return sorted(pictures.maps, key=lambda m: known.index(m[0]) if m[0] in known else len(known))


def contact_sheet(pictures: Sequence[Path | None]) -> list[str]:
    """Small pictures as data URIs, the smaller the more there are; no text for a missing one."""
    each = min(SHEET_BYTES // max(len(pictures), 1), 14_000)
    return [jpeg(path, 200, each) for path in pictures]


def case_bytes(cases: int) -> int:
    """How much one of so many cases may take.

    >>> case_bytes(40), case_bytes(200)
    (160000, 37864)
    """
    return min(PAGE_BYTES // (cases + ERRORS), MOST_CASE_BYTES)


def jpeg(path: Path | None, longest_px: int, most_bytes: int) -> str:
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
    return address_of(picture, most_bytes)


def address_of(picture: "Image", most_bytes: int) -> str:
    """A picture in RGB as a data URI of so many bytes before base64."""
    return "data:image/jpeg;base64," + base64.b64encode(_compressed(picture, most_bytes)).decode()


def _compressed(picture: "Image", most_bytes: int) -> bytes:
    """The picture as a JPEG of so many bytes: first at less quality, then at less size."""
    is_small = max(picture.size) <= SMALL_PX
    qualities: tuple[int, ...] = (SMALL_QUALITY, *QUALITIES) if is_small else QUALITIES
    while True:
        for quality in qualities:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            if file.tell() <= most_bytes or max(picture.size) <= 48:
                return file.getvalue()
        qualities = QUALITIES[-1:]
        shrink = min(0.95 * (most_bytes / file.tell()) ** 0.5, 0.9)  # bytes go with the area
        picture = picture.resize([max(round(side * shrink), 1) for side in picture.size])
