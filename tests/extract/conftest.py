"""Drawn slides whose stored tiles can be found and spoilt."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import tifffile

from wholecase.cohort import Case, Cohort, Image
from wholecase.encoders import EncoderSpec
from wholecase.extract import Plan
from wholecase.instances import Grid

SIDE = 64
"""Of the stored tiles and of the instances: a damaged tile is one instance."""


class Drawn(NamedTuple):
    """A slide of 10 x 10 stored tiles."""

    path: Path
    tiles: list[tuple[int, int]]
    """Offset and length of each, row by row."""

    @property
    def image(self) -> Image:
        return Image(self.path, "slide", 2, mpp=0.5)

    def spoil(self, indices: Iterable[int]) -> None:
        """Overwrite these tiles with zeros."""
        content = bytearray(self.path.read_bytes())
        for index in indices:
            offset, length = self.tiles[index]
            content[offset : offset + length] = bytes(length)
        self.path.write_bytes(content)


def draw(path: Path, seed: int = 0, tiles: int = 10) -> Drawn:
    coarse = np.random.default_rng(seed).integers(40, 200, (30, 30, 3), np.uint8)
    pixels = cv2.resize(coarse, (tiles * SIDE, tiles * SIDE), interpolation=cv2.INTER_LINEAR)
    tifffile.imwrite(path, pixels, tile=(SIDE, SIDE), photometric="rgb", compression="jpeg")
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        return Drawn(path, list(zip(page.dataoffsets, page.databytecounts, strict=True)))


@pytest.fixture
def drawn(tmp_path: Path) -> Callable[..., Drawn]:
    """Draw a slide of that name into the test's folder."""
    return lambda name, seed=0, tiles=10: draw(tmp_path / name, seed, tiles)


def plan_in(folder: Path, **more: object) -> Plan:
    return Plan(Grid(SIDE, 0.5), EncoderSpec("colour"), folder, **more)


def cohort_of(folder: Path, *images: Image) -> Cohort:
    """One case and patient per image."""
    cases = tuple(Case(f"c{i}", f"p{i}", (image,)) for i, image in enumerate(images))
    return Cohort(folder / "cohort.csv", cases, ())


def files(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
