"""Windows come from blocks, and are what each of them alone would be."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import NoTissueError, RunError, SpacingError
from wholecase.instances.tissue import Tissue
from wholecase.sources import Header, ImageSource, Level, Spacing, open_source, read_box
from wholecase.triage import blocks as module
from wholecase.triage.blocks import blocks, windows
from wholecase.triage.raster import Raster, check_stride, raster_of, touched


@pytest.fixture
def texture() -> np.ndarray:
    """[700, 1000, 3] smooth colours, no two regions alike."""
    coarse = np.random.default_rng(3).integers(0, 250, (35, 50, 3), dtype=np.uint8)
    return cv2.resize(coarse, (1000, 700), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def slide(write_slide: Callable[..., Path], texture: np.ndarray) -> Path:
    """1000 x 700 px at 0.5 µm/px; levels of 1, 2 and 4."""
    return write_slide(texture)


def of(source: ImageSource, spacing_um: float, side_px: int = 48, stride_px: int = 16) -> Raster:
    return raster_of(source, side_px=side_px, spacing_um=spacing_um, stride_px=stride_px)


def read_all(
    source: ImageSource, raster: Raster, wanted: np.ndarray, batch: int = 7
) -> dict[int, np.ndarray]:
    told: dict[int, np.ndarray] = {}
    for block in blocks(source, raster, wanted):
        for indices, pixels in windows(block, raster, batch):
            assert len(indices) == len(pixels) <= batch
            assert not set(indices.tolist()) & set(told)
            told |= dict(zip(indices.tolist(), pixels, strict=True))
    return told


def alone(source: ImageSource, raster: Raster, index: int) -> np.ndarray:
    """One window by itself."""
    row, column = divmod(index, raster.shape[1])
    box = raster.box((row, row + 1), (column, column + 1))
    return read_box(source, box, (raster.side_px, raster.side_px))


@pytest.mark.parametrize("spacing_um", [0.5, 1.0, 2.0, 0.995])
@pytest.mark.parametrize("block_px", [50, 130, 2048])
def test_on_a_level_every_window_is_exactly_its_own_box(
    slide: Path, spacing_um: float, block_px: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_PX", block_px)
    with open_source(slide, "slide") as source:
        raster = of(source, spacing_um)
        wanted = np.random.default_rng(2).random(raster.shape) < 0.2
        told = read_all(source, raster, wanted)
        assert sorted(told) == np.flatnonzero(wanted).tolist()
        for index, pixels in told.items():
            np.testing.assert_array_equal(pixels, alone(source, raster, index))


@pytest.mark.parametrize("spacing_um", [0.47, 0.6, 0.97, 1.7])
def test_between_levels_a_window_differs_by_interpolation_only(
    slide: Path, spacing_um: float
) -> None:
    with open_source(slide, "slide") as source:
        raster = of(source, spacing_um)
        wanted = np.random.default_rng(4).random(raster.shape) < 0.15
        told = read_all(source, raster, wanted)
        assert sorted(told) == np.flatnonzero(wanted).tolist()
        for index, pixels in told.items():
            own = alone(source, raster, index)
            # a shift by less than a pixel: between the neighbours, give or take rounding
            kernel = np.ones((3, 3), np.uint8)
            low, high = cv2.erode(own, kernel).astype(int), cv2.dilate(own, kernel).astype(int)
            beyond = np.maximum(low - pixels, pixels - high)[1:-1, 1:-1]
            assert beyond.max() <= 4, index


def test_a_window_is_around_its_cell_and_white_beyond_the_image(
    slide: Path, texture: np.ndarray
) -> None:
    with open_source(slide, "slide") as source:
        raster = of(source, 0.5)
        told = read_all(source, raster, np.ones(raster.shape, bool))
    around = np.pad(texture, ((16, 64), (16, 64), (0, 0)), constant_values=255)
    for index, (x, y, width, height) in enumerate(raster.cells().tolist()):
        assert (width, height) == (16, 16) or x + width == 1000 or y + height == 700
        np.testing.assert_array_equal(told[index], around[y : y + 48, x : x + 48])


def test_no_pixel_is_read_nine_times(slide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_source(slide, "slide") as source:
        raster, read, pixels = of(source, 0.5), type(source).read, []

        def counted(self: ImageSource, *box: int) -> np.ndarray:
            pixels.append(box[2] * box[3])
            return read(self, *box)

        monkeypatch.setattr(type(source), "read", counted)
        told = list(blocks(source, raster, np.ones(raster.shape, bool)))
    assert sum(block.wanted.sum() for block in told) == raster.shape[0] * raster.shape[1]
    assert sum(pixels) < 1.15 * 1000 * 700


@given(
    st.tuples(st.integers(1, 900), st.integers(1, 900)),
    st.floats(0.9, 7.0),
    st.sampled_from([(96, 32), (48, 16), (7, 3), (10, 10), (224, 74)]),
)
def test_cells_tile_the_image_up_to_half_a_cell(
    size_px: tuple[int, int], factor: float, window: tuple[int, int]
) -> None:
    raster = Raster(size_px, 0.5, factor, *window)
    cells = raster.cells()
    assert len(cells) == raster.shape[0] * raster.shape[1]
    covered = np.zeros(size_px[::-1], int)
    for x, y, width, height in cells.tolist():
        assert width > 0
        assert height > 0
        covered[y : y + height, x : x + width] += 1
    assert covered.max() == 1
    rows, columns = raster.edges()
    assert covered[: rows[-1], : columns[-1]].all()
    assert size_px[0] - columns[-1] <= raster.step / 2 + 1
    assert size_px[1] - rows[-1] <= raster.step / 2 + 1
    assert raster.areas_mm2().sum() == pytest.approx(covered.sum() * 0.25e-6)


def test_tissue_chooses_the_cells_that_it_touches(slide: Path) -> None:
    with open_source(slide, "slide") as source:
        raster = of(source, 0.5)
        mask = np.zeros((70, 100), bool)
        mask[20:25, 33:41] = True  # x 330 to 410, y 200 to 250
        tissue = Tissue(mask, np.zeros((70, 100, 3), np.uint8), 10.0, 5.0)
        wanted = touched(source, raster, tissue)
        rows, columns = np.nonzero(wanted)
        assert (rows.min(), rows.max()) == (200 // 16, 249 // 16)
        assert (columns.min(), columns.max()) == (330 // 16, 409 // 16)
        assert wanted.sum() == (249 // 16 - 200 // 16 + 1) * (409 // 16 - 330 // 16 + 1)
        bare = Tissue(np.zeros_like(mask), tissue.pixels, 10.0, 5.0)
        with pytest.raises(NoTissueError, match="no tissue was found"):
            touched(source, raster, bare)


def test_what_cannot_be_judged_is_refused(slide: Path) -> None:
    with open_source(slide, "slide") as source, pytest.raises(SpacingError, match="too coarse"):
        of(source, 0.4)
    flat = slide.with_name("flat.png")
    cv2.imwrite(str(flat), np.full((64, 64, 3), 200, np.uint8))
    with open_source(flat, "tile") as source, pytest.raises(SpacingError, match="spacing unknown"):
        of(source, 0.5)
    for stride in (0, 31, 98):
        with pytest.raises(RunError, match="even number from 2 to 96"):
            check_stride(96, stride)


class Endless(ImageSource):
    """An image of any size that lies on no disk: a pixel's colour tells its place."""

    def __init__(self, side_px: int) -> None:
        self.largest = 0
        levels, spacing = (Level(side_px, side_px, 1.0),), Spacing(0.5, "manifest")
        self.header = Header(Path("endless.svs"), levels, spacing)

    def read(self, x_px: int, y_px: int, width_px: int, height_px: int, level=0, plane=0):
        self.largest = max(self.largest, width_px * height_px)
        x = np.arange(x_px, x_px + width_px).astype(np.uint8)
        y = np.arange(y_px, y_px + height_px).astype(np.uint8)
        pixels = np.zeros((height_px, width_px, 3), np.uint8)
        pixels[..., 0], pixels[..., 1] = x, y[:, None]
        return pixels

    def close(self) -> None:
        pass


def test_memory_does_not_grow_with_the_image() -> None:
    """An image of 12,000 x 12,000 px is 432 MB, and its windows one by one are nine times that."""
    source = Endless(12_000)
    raster = raster_of(source, side_px=96, spacing_um=0.5, stride_px=32)
    wanted = np.random.default_rng(1).random(raster.shape) < 0.03
    tracemalloc.start()
    try:
        count = 0
        for block in blocks(source, raster, wanted):
            for indices, pixels in windows(block, raster, 256):
                count += len(indices)
                assert pixels.shape == (len(indices), 96, 96, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == wanted.sum() > 4000
    assert peak < 60e6
    assert source.largest <= 2048**2
