"""The tiles of a case: the right ones, in order, at the price of one opening per image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.answer import Sitting, case_pictures, draw, save_picture
from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError
from wholecase.explain import Evidence, write_evidence
from wholecase.runs import RunFolder

SIDE = 64
COLUMNS = 6


def colour_of(number: int) -> tuple[int, int, int]:
    return 20 * number, 250 - 20 * number, 128


@pytest.fixture
def sitting(tmp_path: Path) -> Sitting:
    """Twelve tiles, each of its own colour, on two images; tile i has rank i."""
    images = []
    for half in range(2):
        numbers = range(half * COLUMNS, (half + 1) * COLUMNS)
        row = [np.full((SIDE, SIDE, 3), colour_of(n), np.uint8) for n in numbers]
        Picture.fromarray(np.hstack(row)).save(tmp_path / f"{half}.png")
        images.append(Image(tmp_path / f"{half}.png", "tile", line=2 + half))
    weights = np.linspace(0.2, 0.01, 12)[:, None]
    numbers = np.arange(12)
    sides = np.full(12, SIDE)
    evidence = Evidence(
        weights=weights / weights.sum(),
        scores=np.log(weights),
        image=numbers // COLUMNS,
        box_px=np.stack([numbers % COLUMNS * SIDE, np.zeros(12, np.int64), sides, sides], axis=1),
        position_um=np.zeros((12, 3), np.float32),
        logits=np.zeros((12, 1)),
    )
    run = RunFolder(tmp_path / "run")
    write_evidence(run.evidence("c"), evidence)
    return Sitting(Case("c", "p", tuple(images)), run)


def seen(sitting: Sitting, paths: list[str]) -> list[int]:
    """Which tiles the pictures show, by their colour."""
    numbers = []
    for path in paths:
        with Picture.open(sitting.run.root / path) as picture:
            middle = np.asarray(picture.convert("RGB"))[100, 100].astype(int)
        gaps = [np.abs(middle - colour_of(n)).max() for n in range(12)]
        assert min(gaps) < 8
        numbers.append(int(np.argmin(gaps)))
    return numbers


def test_most_and_least_attended_tiles_in_order(sitting: Sitting) -> None:
    shown = draw(sitting)
    assert seen(sitting, shown["tiles"]) == [0, 1, 2, 3]
    assert seen(sitting, shown["least"]) == [11, 10, 9, 8]
    assert (sitting.run.root / shown["thumbnail"]).is_file()
    assert (sitting.run.root / shown["heatmap"]).is_file()


def test_each_image_is_opened_once(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    really = case_pictures.open_source

    def counted(path, *rest):
        opened.append(path.name)
        return really(path, *rest)

    monkeypatch.setattr(case_pictures, "open_source", counted)
    draw(sitting)
    assert opened == ["0.png", "1.png"]


def test_an_image_that_is_gone_costs_its_tiles_only(sitting: Sitting) -> None:
    sitting.case.images[1].path.unlink()
    shown = draw(sitting)
    assert seen(sitting, shown["tiles"]) == [0, 1, 2, 3]
    assert shown["least"] == []


def test_without_the_image_that_counts_there_is_no_picture(sitting: Sitting) -> None:
    sitting.case.images[0].path.unlink()
    with pytest.raises(SourceError, match=r"0\.png: no such file"):
        draw(sitting)


def test_a_small_case_shows_no_tile_twice(sitting: Sitting, tmp_path: Path) -> None:
    for count, least in ((3, 0), (6, 2)):
        evidence = Evidence(
            weights=np.full((count, 1), 1 / count),
            scores=np.zeros((count, 1)),
            image=np.zeros(count, np.int64),
            box_px=np.array([[n * SIDE, 0, SIDE, SIDE] for n in range(count)]),
            position_um=np.zeros((count, 3), np.float32),
            logits=np.zeros((count, 1)),
        )
        write_evidence(sitting.run.evidence("c"), evidence)
        shown = draw(sitting)
        assert len(shown["tiles"]) == min(count, 4)
        assert len(shown["least"]) == least
        both = seen(sitting, [*shown["tiles"], *shown["least"]])
        assert len(set(both)) == len(both)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_picture_is_written_as_it_is(tmp_path: Path, suffix: str) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    pixels = drawn.repeat(3, 0).repeat(3, 1)
    save_picture(tmp_path / f"map.{suffix}", pixels[:, ::-1])
    told = np.asarray(Picture.open(tmp_path / f"map.{suffix}").convert("RGB"))
    if suffix == "jpg":
        assert np.abs(told.astype(int) - pixels[:, ::-1]).mean() < 40
    else:
        assert np.array_equal(told, pixels[:, ::-1])
