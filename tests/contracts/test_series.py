"""A series in Hounsfield units through the one store, as pictures in colour go through it."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from toys.hounsfield import LOWEST_UM, THICK_UM, HounsfieldSeries, volume
from wholecase.answer import examples_of, read_case
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.kinds import CT, RGB
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Extraction, Plan, decode, extract
from wholecase.instances import Grid, Slices, Whole
from wholecase.sources import SOURCES
from wholecase.training import pack

SIDE = 32
SLICES = (3, 5)
"""Of the series of each case."""

COLOURS = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)


@pytest.fixture(autouse=True)
def _series_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOURCES, "ct", HounsfieldSeries)


@pytest.fixture
def series(tmp_path: Path) -> list[Case]:
    cases = []
    for number, count in enumerate(SLICES):
        path = tmp_path / f"{number}.npy"
        np.save(path, volume(number, count, SIDE, SIDE))
        image = Image(path, "ct", number + 2, mpp=700.0)
        cases.append(Case(f"c{number}", f"p{number}", (image,), target=number))
    return cases


def decoded(folder: Path, cases: list[Case], cut: Slices | Grid | Whole) -> Extraction:
    return decode(
        Cohort(folder / "cohort.csv", tuple(cases), ()), cut, folder / "store", Place(workers=0)
    )


def other(folder: Path, name: str, kind: str = "tile") -> Case:
    """A case of one picture in colour, which lies at that path once it is written."""
    return Case("other", "other", (Image(folder / name, kind, 9),), target=0)


def test_the_values_of_every_slice_arrive_exactly(tmp_path: Path, series: list[Case]) -> None:
    done = decoded(tmp_path, series, Slices(SIDE))
    assert (done.kind, done.width, done.tiles, done.failures) == (CT, 1, sum(SLICES), ())
    assert done.identity == "ct pixels"  # by which a run knows what it was taught on
    batch = examples_of(series, done, classes=2).batch([1, 0])
    wanted = np.concatenate([volume(1, 5, SIDE, SIDE), volume(0, 3, SIDE, SIDE)])
    assert batch.values.dtype == torch.int16
    assert torch.equal(batch.values, torch.from_numpy(wanted[:, None]))
    assert {-2048, 32767} <= set(batch.values.flatten().tolist())
    assert batch.starts.tolist() == [0, 5, 8]
    assert batch.position is not None
    heights = [LOWEST_UM + THICK_UM * z for z in (0, 1, 2, 3, 4, 0, 1, 2)]
    assert batch.position[:, 2].tolist() == heights


def test_bags_know_their_slices(tmp_path: Path, series: list[Case]) -> None:
    done = decoded(tmp_path, series, Slices(SIDE))
    bag = read_case(series[1], done).bag
    assert bag.plane is not None
    assert bag.plane.tolist() == [0, 1, 2, 3, 4]
    two = Case("two", "two", (*series[0].images, *series[1].images))
    both = read_case(two, done).bag
    assert both.plane is not None
    assert both.plane.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    examples = examples_of(series, done, classes=2)
    assert torch.equal(examples.batch([0, 1]).values, pack([examples[0], examples[1]]).values)


def test_a_series_is_cut_into_slices_where_slides_are_gridded(
    tmp_path: Path, series: list[Case]
) -> None:
    assert decoded(tmp_path, series, Grid(SIDE, 0.5)).tiles == sum(SLICES)
    (_, first), (_, second) = [
        (failure.path.name, failure.reason)
        for failure in decoded(tmp_path, series, Whole(SIDE)).failures
    ]
    assert "0.npy: has 3 slices" in first
    assert "1.npy: has 5 slices" in second


def test_a_store_keeps_one_kind_and_colour_goes_without_saying(
    tmp_path: Path, series: list[Case]
) -> None:
    Picture.fromarray(COLOURS).save(tmp_path / "a.png")
    done = decoded(tmp_path, series, Slices(SIDE))
    colour = decoded(tmp_path, [other(tmp_path, "a.png")], Slices(SIDE))
    assert colour.kind == RGB
    assert done.pixels is not None
    assert colour.pixels is not None
    assert colour.pixels.settings == {"cut": Slices(SIDE).settings, "values": "pixels"}
    assert done.pixels.settings == {**colour.pixels.settings, "pixels": "ct"}
    assert done.pixels.digest != colour.pixels.digest
    there: Extraction = pickle.loads(pickle.dumps(done))
    assert there.pixels == done.pixels
    assert there.pixels is not None
    assert there.pixels.kind == CT
    again = decoded(tmp_path, series, Slices(SIDE))
    assert (again.encoded, again.reused) == (0, 2)


def test_pixels_of_another_kind_are_refused_by_name(tmp_path: Path, series: list[Case]) -> None:
    Picture.fromarray(COLOURS).save(tmp_path / "a.png")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    for name in ("a.png", "x.h5#1"):
        done = decoded(tmp_path, [*series, other(tmp_path, name)], Slices(SIDE))
        (failure,) = done.failures
        assert f"{name}: holds rgb pixels, and its cohort is of ct" in failure.reason
        assert "keep images of one kind of pixels in a cohort" in failure.reason
        assert len(done.bags) == 2
    first = decoded(tmp_path, [other(tmp_path, "a.png"), *series], Slices(SIDE))
    assert {failure.path.suffix for failure in first.failures} == {".npy"}
    assert all("holds ct pixels" in failure.reason for failure in first.failures)


def test_a_frozen_encoder_refuses_what_is_no_colour(tmp_path: Path, series: list[Case]) -> None:
    plan = Plan(Slices(SIDE), EncoderSpec("colour"), tmp_path / "features")
    for central in (False, True):
        cohort = Cohort(tmp_path / "cohort.csv", tuple(series), ())
        done = extract(cohort, plan, Place(workers=0), central=central)
        assert done.kind is None
        assert not done.bags
        assert {failure.stage for failure in done.failures} == {"encode"}
        for failure in done.failures:
            assert f"{failure.path}: holds ct pixels, and the encoder colour" in failure.reason
            assert "model.backbone" in failure.reason
