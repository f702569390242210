"""Pixels that a file claims and does not hold: Pillow leaves them black and says nothing."""

from pathlib import Path

import numpy as np
from PIL import Image

from wholecase.sources.damage import complaints, damage

ASKED = ("PNG", "TIFF")
"""Formats of which Pillow takes less than is claimed; of the others it refuses that."""
EDGE_PX = 2
"""Of an interlaced picture the last pass may end in either of the last two rows."""


def refuse_filled(path: Path, image: Image.Image) -> None:
    """Pass a picture whose edges hold something, or that another reader finds whole.

    Args:
        path: its file.
        image: the one that was read, at its page; decoding may have turned it upright.

    Raises:
        SourceError: the file holds fewer pixels than it claims.
    """
    if image.format not in ASKED or _is_lit(image):
        return
    with damage(f"{path}: holds fewer pixels than it claims", "fetch the file again"):
        _read_png(path) if image.format == "PNG" else _read_tiff(path, image.tell())


def _is_lit(image: Image.Image) -> bool:
    width, height = image.size
    across, down = min(EDGE_PX, width), min(EDGE_PX, height)
    rows = [(0, y, width, y + down) for y in (0, height - down)]
    columns = [(x, 0, x + across, height) for x in (0, width - across)]
    edges = [np.asarray(image.crop(box)) for box in rows]
    edges += [np.asarray(image.crop(box)).swapaxes(0, 1) for box in columns]
    return all(edge.reshape(len(edge), -1).any(axis=1).all() for edge in edges)


def _read_png(path: Path) -> None:
    import imagecodecs

    imagecodecs.png_decode(path.read_bytes())


def _read_tiff(path: Path, page: int) -> None:
    from tifffile import TiffFile

    with complaints("tifffile"), TiffFile(path) as file:
        file.pages[page].asarray()
