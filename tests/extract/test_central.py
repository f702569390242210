"""Encoding here while workers read: the same bytes, and a crash costs one image."""

import sys

import pytest

from extract.conftest import cohort_of, files, plan_in
from extract.doors import Crashing, KilledOnce
from wholecase.cohort import Image
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import KILLED, Plan, extract, table_lines


@pytest.fixture
def mixed(tmp_path, drawn):
    """Good slides of several sizes, one with a gap, one past saving, and one that is none."""
    slides = [drawn(f"{i}.tif", i, tiles) for i, tiles in enumerate((1, 10, 3, 2, 9))]
    slides[1].spoil([3])
    slides[3].spoil([0])
    text = tmp_path / "text.svs"
    text.write_text("no slide")
    gone = tmp_path / "gone.svs"
    images = [slide.image for slide in slides]
    return cohort_of(tmp_path, *images, Image(text, "slide", 9), Image(gone, "slide", 10))


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_bytes_failures_and_counts(tmp_path, mixed, workers):
    plain = extract(mixed, plan_in(tmp_path / "plain"), Place(workers=0))
    central = extract(mixed, plan_in(tmp_path / "central"), Place(workers=workers), central=True)
    assert files(tmp_path / "plain") == files(tmp_path / "central")
    assert central.failures == plain.failures
    assert [f.stage for f in central.failures] == ["read", "open", "open"]
    assert central.skipped == plain.skipped
    assert (central.encoded, central.tiles) == (plain.encoded, plain.tiles) == (4, 1 + 99 + 9 + 81)
    kinds = {"open", "cut", "read", "transform", "encode", "write", "total"}
    assert plain.seconds.keys() == kinds
    assert central.seconds.keys() == {*kinds, "wait"}
    again = extract(mixed, plan_in(tmp_path / "central"), Place(workers=workers), central=True)
    assert (again.encoded, again.reused, again.failures) == (0, 4, plain.failures)


@pytest.mark.parametrize("central", [False, True])
def test_a_decoder_that_crashes_costs_its_image(tmp_path, drawn, central):
    slides = [drawn(f"{name}.tif", seed, 2) for seed, name in enumerate(("a", "crash", "b", "c"))]
    cohort = cohort_of(tmp_path, *(slide.image for slide in slides))
    plan = Plan(Crashing(64), EncoderSpec("colour"), tmp_path / "s")
    found = extract(cohort, plan, Place(workers=2), central=central)
    (failure,) = found.failures
    assert (failure.path.name, failure.stage) == ("crash.tif", "read")
    assert "exit code 11" in failure.reason
    assert found.encoded == 3
    assert not [path for path in (tmp_path / "s").rglob(".*") if path.is_file()] or not central


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("central", [False, True])
def test_a_worker_that_is_killed_costs_nothing_once_and_is_told_twice(tmp_path, drawn, central):
    names = ("a", "once", "always", "b")
    slides = [drawn(f"{name}.tif", seed, 10) for seed, name in enumerate(names)]
    plan = Plan(KilledOnce(64, tmp_path / "mark"), EncoderSpec("colour"), tmp_path / "s")
    cohort = cohort_of(tmp_path, *(slide.image for slide in slides))
    found = extract(cohort, plan, Place(workers=2), central=central)
    (failure,) = found.failures
    assert (failure.path.name, failure.stage) == ("always.tif", KILLED)
    assert "SIGKILL" in failure.reason
    assert (found.encoded, found.tiles) == (3, 300)
    others = cohort_of(tmp_path, *(slide.image for slide in slides if slide.path.stem != "always"))
    extract(others, plan_in(tmp_path / "sound"), Place(workers=0))
    bags = {path: content for path, content in files(tmp_path / "s").items() if path.stem[0] != "."}
    assert bags == files(tmp_path / "sound")


def test_an_encoder_that_cannot_costs_the_image(tmp_path, drawn):
    slide = drawn("a.tif", tiles=2)
    # the colour statistics refuse tiles below 32 px
    plan = Plan(Crashing(16), EncoderSpec("colour"), tmp_path / "s")
    found = extract(cohort_of(tmp_path, slide.image), plan, Place(workers=1), central=True)
    assert [f.stage for f in found.failures] == ["encode"]
    assert list(table_lines(found)) == ["0 images encoded, 0 found, 1 failed"]
