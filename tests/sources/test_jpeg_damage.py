"""JPEG tiles of which a part is missing are refused; a missing mark of the end is none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from wholecase.core.errors import SourceError
from wholecase.sources.jpeg import guessed
from wholecase.sources.jpeg_tiles import colour_tile
from wholecase.sources.tiff import TiffSource


def half_of_zeros(tile: bytes) -> bytes:
    return tile[: len(tile) // 2].ljust(len(tile), b"\0")


def half_of_zeros_with_an_end(tile: bytes) -> bytes:
    return half_of_zeros(tile)[:-2] + b"\xff\xd9"


def ended_early(tile: bytes) -> bytes:
    return (tile[: len(tile) // 2] + b"\xff\xd9").ljust(len(tile), b"\0")


DAMAGES = [half_of_zeros, half_of_zeros_with_an_end, ended_early]


def slide(folder: Path, photometric: str, damage: Callable[[bytes], bytes] | None) -> Path:
    """A pyramid of one level, every tile of it spoilt in place."""
    path = folder / "slide.tif"
    rng = np.random.default_rng(3)
    shape = (512, 512, 3) if photometric == "ycbcr" else (512, 512)
    pixels = rng.integers(0, 256, shape, np.uint8)
    tifffile.imwrite(
        path,
        pixels,
        tile=(256, 256),
        photometric=photometric,
        compression="jpeg",
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )
    if damage is not None:
        content = bytearray(path.read_bytes())
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            for at, length in zip(page.dataoffsets, page.databytecounts, strict=True):
                content[at : at + length] = damage(bytes(content[at : at + length]))
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("photometric", ["ycbcr", "minisblack"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_tile_is_made_up(tmp_path, photometric, damage):
    with TiffSource(slide(tmp_path, photometric, None)) as source:
        source.read(0, 0, 300, 300)
    with (
        pytest.raises(SourceError, match=r"slide\.tif: .*(cannot be decoded|damaged)"),
        TiffSource(slide(tmp_path, photometric, damage)) as source,
    ):
        source.read(0, 0, 300, 300)


def test_a_tile_without_the_mark_of_the_end_is_whole(tmp_path):
    with tifffile.TiffFile(slide(tmp_path, "ycbcr", None)) as file:
        page = file.pages[0]
        tables = page.jpegtables
        file.filehandle.seek(page.dataoffsets[0])
        tile = file.filehandle.read(page.databytecounts[0])
    assert tile.endswith(b"\xff\xd9")
    whole = colour_tile(tile, tables, (256, 256), rgb=False)
    assert whole is not None
    assert np.array_equal(colour_tile(tile[:-2], tables, (256, 256), rgb=False), whole)
    together = tile[:2] + (tables[2:-2] if tables else b"") + tile[2:]
    assert guessed(together) == guessed(together[:-2]) == ""
    assert "Premature end" in guessed(half_of_zeros(together))
