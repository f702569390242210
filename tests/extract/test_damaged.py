"""A damaged tile costs itself; too many cost the image; a hiccup costs nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from extract.conftest import SIDE, cohort_of, files, plan_in
from wholecase.core.errors import SourceError
from wholecase.execution import Place
from wholecase.extract import extract, table_lines
from wholecase.extract.readable import Readable
from wholecase.extract.retrying import RetryingSource
from wholecase.instances import Grid
from wholecase.sources import Header, ImageSource, Level, open_source


class Hiccup(ImageSource):
    """A grey image whose reads fail as scripted; opened anew, it goes on with the script."""

    def __init__(self, script, log):
        self.script, self.log = script, log
        log.append("open")

    header = Header(Path("grey.tif"), (Level(SIDE, SIDE, 1.0),))

    def read(self, x_px, y_px, width_px, height_px, level=0, plane=0):
        if self.script.pop(0):
            return np.full((height_px, width_px, 3), 128, np.uint8)
        raise SourceError("not this time")

    def close(self):
        self.log.append("close")


@pytest.mark.parametrize(
    ("script", "fails", "opened"),
    [([True], False, 1), ([False, True], False, 2), ([False, False], True, 3)],
)
@pytest.mark.parametrize("placed", [False, True])
def test_a_region_is_read_twice_with_another_handle(script, fails, opened, placed):
    script, log, place = [*script], [], np.zeros((4, 4, 3), np.uint8)
    with RetryingSource(lambda: Hiccup(script, log)) as source:
        if fails:
            with pytest.raises(SourceError, match="not this time"):
                source.read_into(place, 0, 0) if placed else source.read(0, 0, 4, 4)
        elif placed:
            source.read_into(place, 0, 0)
            assert np.all(place == 128)
        else:
            assert source.read(0, 0, 4, 4).shape == (4, 4, 3)
        assert source.seconds > 0
    assert script == []
    assert (log.count("open"), log.count("close")) == (opened, opened)


@pytest.mark.parametrize("central", [False, True])
@pytest.mark.parametrize("spoilt", [[7], [0, 99]])
def test_tolerated_tiles_are_left_out_and_counted(tmp_path, drawn, spoilt, central):
    whole, damaged = drawn("whole.tif"), drawn("damaged.tif")
    damaged.spoil(spoilt)
    cohort = cohort_of(tmp_path, whole.image, damaged.image)
    found = extract(cohort, plan_in(tmp_path / "s"), Place(workers=int(central)), central=central)
    assert found.failures == ()
    expected, bag = found.bag(whole.image), found.bag(damaged.image)
    # the squares lie row by row, as the stored tiles do
    kept = np.delete(np.arange(100), spoilt)
    for name in ("values", "box_px", "position_um", "scale"):
        np.testing.assert_array_equal(getattr(bag, name), getattr(expected, name)[kept])
    assert bag.facts == {**expected.facts, "skipped": str(len(spoilt))}
    assert "skipped" not in expected.facts
    assert [(i.path.name, n) for i, n in found.skipped.items()] == [("damaged.tif", len(spoilt))]
    assert found.tiles == 200 - len(spoilt)
    assert f"{len(spoilt)} tiles skipped as undecodable: damaged.tif {len(spoilt)}" in list(
        table_lines(found)
    )
    again = extract(cohort, plan_in(tmp_path / "s"), Place(workers=0))
    assert (again.encoded, again.reused, again.skipped) == (0, 2, found.skipped)


def test_more_than_tolerated_cost_the_image(tmp_path, drawn):
    slide = drawn("damaged.tif")
    slide.spoil([11, 12, 13, 14])
    plan = plan_in(tmp_path / "s")
    cohort = cohort_of(tmp_path, slide.image)
    (failure,) = extract(cohort, plan, Place(workers=0)).failures
    assert failure.stage == "read"
    assert "at least 3 of 100 tiles cannot be decoded, above the tolerated 2 %" in failure.reason
    assert "(64, 64)" in failure.reason  # where the first lies
    assert not list((tmp_path / "s").glob("*/*.safetensors"))
    tolerant = extract(cohort, replace(plan, tolerated_tiles=0.05), Place(workers=0))
    assert (tolerant.encoded, list(tolerant.skipped.values())) == (1, [4])
    # a bag with more gaps than tolerated is not taken as it lies
    strict = extract(cohort, plan, Place(workers=0))
    assert (len(strict.failures), strict.reused) == (1, 0)


@pytest.mark.parametrize("spoilt", [[], [0], [5, 6, 63], [*range(60, 70)], [99]])
def test_what_is_read_is_what_a_slow_loop_reads(drawn, spoilt):
    slide = drawn("a.tif")
    slide.spoil(spoilt)

    def opened():
        return open_source(slide.path, "slide", 0.5)

    with RetryingSource(opened) as source, opened() as plain:
        instances = Grid(SIDE, 0.5)(source)
        readable = Readable(source, instances, tolerated=0.5)
        found = {}
        for indices, pixels in readable.batches():
            found |= dict(zip(indices.tolist(), pixels, strict=True))
        assert readable.skipped.tolist() == spoilt
        assert sorted(found) == [i for i in range(100) if i not in spoilt]
        for index, pixels in found.items():
            x, y, width, height = instances.box_px[index].tolist()
            np.testing.assert_array_equal(pixels, plain.read(x, y, width, height))


def test_a_bag_damaged_since_is_made_again(tmp_path, drawn):
    slides = [drawn(f"{i}.tif", i, tiles=2) for i in range(3)]
    cohort = cohort_of(tmp_path, *(slide.image for slide in slides))
    plan = plan_in(tmp_path / "s")
    extract(cohort, plan, Place(workers=0))
    before = files(tmp_path / "s")
    first, second, _ = sorted((tmp_path / "s").glob("*/*.safetensors"))
    first.write_bytes(first.read_bytes()[:-1])
    second.write_bytes(b"\xff" * 100)
    again = extract(cohort, plan, Place(workers=0))
    assert (again.encoded, again.reused) == (2, 1)
    assert files(tmp_path / "s") == before
