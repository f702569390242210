"""A share of the tiles: chosen without labels, the rare ones among them, and told."""

from dataclasses import replace

import numpy as np
import pytest

from wholecase.core.errors import RecipeError, SourceError
from wholecase.core.kinds import GREY
from wholecase.instances import Grid, sample
from wholecase.instances.sample import Sample, _various, look_at
from wholecase.sources import open_source

SIDE = 50


@pytest.fixture
def tissue():
    """[600, 900, 3]: 216 tiles of 50 px in one stain, of which one is of another."""
    rng = np.random.default_rng(0)
    pixels = (np.array([200, 120, 170]) + rng.integers(-25, 25, (600, 900, 1))).astype(np.uint8)
    pixels[500:550, 350:400] = np.array([110, 80, 160]) + rng.integers(-25, 25, (50, 50, 1))
    return pixels


def cut(path, **options):
    with open_source(path, "slide") as source:
        return Grid(SIDE, 0.5, sample=options or None)(source)


def places(instances):
    return set(map(tuple, instances.box_px.tolist()))


def far_from_all(looks, count):
    """The slow, obvious version."""
    taken = [min(range(len(looks)), key=lambda i: sum((looks[i] - looks.mean(0)) ** 2))]
    while len(taken) < count:
        left = [i for i in range(len(looks)) if i not in taken]
        taken.append(max(left, key=lambda i: min(sum((looks[i] - looks[t]) ** 2) for t in taken)))
    return taken


@pytest.mark.parametrize("distinct", [40, 3])
def test_variety_is_the_farthest_again_and_again(distinct):
    rng = np.random.default_rng(1)
    looks = rng.normal(size=(distinct, 4)).astype(np.float32)[rng.permutation(40) % distinct]
    assert _various(looks, 12).tolist() == far_from_all(looks, 12)


@pytest.mark.parametrize("by", ["variety", "random"])
def test_the_share_is_kept_in_order_and_again(write_slide, tissue, by):
    path = write_slide(tissue)
    every, some = cut(path), cut(path, share=0.1, by=by)
    assert (len(every), every.squares) == (216, None)
    assert (len(some), some.squares) == (22, 216)
    assert places(some) < places(every)
    order = some.box_px[:, 1] * 10_000 + some.box_px[:, 0]
    assert (np.diff(order) > 0).all()
    assert places(cut(path, share=0.1, by=by)) == places(some)
    assert len(cut(path, share=1e-6, by=by)) == 1
    assert places(cut(path, share=1.0, by=by)) == places(every)


def test_variety_keeps_the_rare_tile_and_random_need_not(write_slide, tissue):
    path, rare = write_slide(tissue), (350, 500, SIDE, SIDE)
    assert rare in places(cut(path, share=0.02))
    assert rare not in places(cut(path, share=0.02, by="random"))


def test_blocks_choose_by_themselves(write_slide, tissue, monkeypatch):
    monkeypatch.setattr(sample, "BLOCK", 90)
    some = cut(write_slide(tissue), share=0.2)
    assert len(some) == 18 + 18 + 7
    assert (350, 500, SIDE, SIDE) in places(some)


def test_a_tile_that_cannot_be_read_looks_like_the_average(write_slide, tissue):
    with open_source(write_slide(tissue), "slide") as source:
        every = Grid(SIDE, 0.5)(source)
        plain, read = look_at(source, every, 6), source.read
        source.read = lambda x, y, *rest: _read(read, x, y, *rest)
        looks = look_at(source, every, 6)
    assert (looks[0] == 0).all()
    assert np.abs(plain[0]).max() > 0
    np.testing.assert_allclose(looks[1:], plain[1:], atol=0.1)


def _read(read, x, y, *rest):
    if (x, y) == (0, 0):
        raise SourceError("cannot be decoded")
    return read(x, y, *rest)


def test_pixels_without_colour_are_refused_by_variety(write_slide, tissue):
    with open_source(write_slide(tissue), "slide") as source:
        every = Grid(SIDE, 0.5)(source)
        source.header = replace(source.header, kind=GREY)
        with pytest.raises(SourceError, match=r"by colour; set cut.sample=null"):
            Sample(0.5)(source, every, 25.0)
        assert len(Sample(0.5, "random")(source, every, 25.0)) == 108


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"share": 0}, "share above 0"),
        ({"share": True}, "share"),
        ({"share": 1.2}, "up to 1"),
        ({"share": 0.5, "look_um": -1}, "look_um is -1"),
        ({"share": 0.5, "by": "chance"}, "random"),
        ({"share": 0.5, "from": 1}, "from"),
        ({"by": "random"}, "share"),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    with pytest.raises(RecipeError, match=said):
        Grid(sample=options)
