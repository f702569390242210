"""The grid: squares of one physical size that meet, do not drift, and lie on tissue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wholecase.core.errors import NoTissueError, RecipeError, SourceError
from wholecase.instances import Grid, covered_share
from wholecase.instances.grid import squares
from wholecase.sources import open_source

OTSU = {"name": "otsu", "least": 0.25}


@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    side=st.floats(30.0, 700.0),
)
def test_squares_meet_without_gap_overlap_or_drift_inside_the_image(width, height, side):
    boxes = squares((width, height), side)
    columns = sum(round(i * side) <= width for i in range(1, 200))
    rows = sum(round(i * side) <= height for i in range(1, 200))
    assert len(boxes) == columns * rows
    covered = np.zeros((height, width), np.uint8)
    for x, y, w, h in boxes:
        assert abs(x - round(x / side) * side) <= 0.5  # at a multiple of the exact side: no drift
        assert abs(y - round(y / side) * side) <= 0.5
        assert abs(w - side) <= 1
        assert abs(h - side) <= 1
        covered[y : y + h, x : x + w] += 1
    assert covered.sum() == covered.any(axis=0).sum() * covered.any(axis=1).sum()
    assert covered.max(initial=0) <= 1


@pytest.mark.parametrize(
    ("asked", "side", "why"),
    [
        (0.5, 224, "as stored"),
        (0.497, 224, "a level within 1 % is taken as it is"),
        (1.0, 448, "the next level"),
        (0.75, 336, "between levels"),
        (0.46, 206, "8 % of upsampling"),
    ],
)
def test_the_side_is_physical(write_slide, stained, asked, side, why):
    with open_source(write_slide(stained), "slide") as source:
        found = Grid(spacing_um=asked)(source)
    assert found.box_px[0].tolist() == [0, 0, side, side], why
    assert np.all(found.scale == np.float32(asked))
    assert found.side_px == 224
    assert found.upsampled == pytest.approx(max(1.0, 224 / side), rel=0.005)


def test_positions_are_the_centres_in_micrometres(write_slide, stained):
    with open_source(write_slide(stained, spacing_um=0.25), "slide") as source:
        found = Grid(spacing_um=0.5)(source)
    assert found.position_um[:2].tolist() == [[56, 56, 0], [168, 56, 0]]


def test_more_than_a_tenth_of_upsampling_is_refused_with_both_spacings(write_slide, stained):
    with open_source(write_slide(stained, spacing_um=0.55), "slide") as source:
        assert len(Grid(spacing_um=0.5)(source)) > 0
    with (
        open_source(write_slide(stained, spacing_um=0.56), "slide") as source,
        pytest.raises(SourceError, match=r"slide\.tif: .* 0\.56\d* µm/px .* the 0\.5 asked"),
    ):
        Grid(spacing_um=0.5)(source)


def test_without_spacing_the_error_tells_why_and_names_the_column(write_slide, stained):
    path = write_slide(stained, spacing_um=264.6)
    with (
        open_source(path, "slide") as source,
        pytest.raises(SourceError, match=r"spacing 263.* from tiff tags is implausible.* mpp"),
    ):
        Grid()(source)
    with open_source(path, "slide", 0.5) as source:
        assert len(Grid()(source)) == 54


def test_an_image_smaller_than_a_square_is_refused(tmp_path):
    Image.new("RGB", (223, 500)).save(tmp_path / "a.png")
    with (
        open_source(tmp_path / "a.png", "still", 0.5) as source,
        pytest.raises(SourceError, match="223 x 500 px are smaller than one square of 224 px"),
    ):
        Grid()(source)


def test_squares_with_tissue_are_those_of_the_drawn_disc(write_slide, stained):
    with open_source(write_slide(stained, compression="jpeg"), "slide") as source:
        kept = Grid(side_px=100, tissue=OTSU)(source)
        all_of_them = Grid(side_px=100)(source)
    y, x = np.mgrid[:1500, :2100]
    disc = (x - 1200) ** 2 + (y - 700) ** 2 <= 500**2
    share = np.array([disc[y : y + h, x : x + w].mean() for x, y, w, h in all_of_them.box_px])
    names = {tuple(box) for box in kept.box_px.tolist()}
    chosen = np.array([tuple(box) in names for box in all_of_them.box_px.tolist()])
    assert chosen[share >= 0.45].all()
    assert not chosen[share <= 0.1].any()
    assert 0 < chosen.sum() < len(chosen)


def test_blank_glass_holds_no_tissue(write_slide):
    glass = np.random.default_rng(0).normal(240, 4, (900, 900, 3)).astype(np.uint8)
    with (
        open_source(write_slide(glass, compression="jpeg"), "slide") as source,
        pytest.raises(NoTissueError, match=r"slide\.tif: no square holds 25% tissue"),
    ):
        Grid(tissue=OTSU)(source)


def test_the_tissue_comes_along_with_its_thumbnail(write_slide, stained):
    with open_source(write_slide(stained), "slide") as source:
        assert Grid()(source).tissue is None
        tissue = Grid(tissue={"name": "classical"})(source).tissue
    assert tissue.mask.shape == tissue.pixels.shape[:2]
    assert tissue.spacing_um == pytest.approx(8.0, rel=0.01)
    assert tissue.downsample == pytest.approx(16.0, rel=0.01)
    disc = np.pi * 500**2 / (1500 * 2100)
    assert tissue.mask.mean() == pytest.approx(disc, rel=0.05)


def test_options_of_the_mask_reach_it(write_slide, stained):
    stained[600:800, 1100:1300] = 242  # a hole of 100 x 100 µm
    inside = []
    with open_source(write_slide(stained), "slide") as source:
        for options in ({"holes": "drop"}, {"holes": "keep", "hole_um2": 4000.0}):
            tissue = {"name": "classical", "least": 0.5, **options}
            x, y = Grid(side_px=50, tissue=tissue)(source).box_px[:, :2].T
            inside.append(int(((x >= 1100) & (x < 1300) & (y >= 600) & (y < 800)).sum()))
    assert inside[0] == 16
    assert inside[1] <= 4


@given(data=st.data())
def test_the_share_equals_a_naive_count_over_fine_pixels(data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    fine = np.kron(mask, np.ones((7, 5))) > 0  # every mask pixel is 5 x 7 image pixels
    x, y = data.draw(st.integers(0, width * 5 - 1)), data.draw(st.integers(0, height * 7 - 1))
    w, h = data.draw(st.integers(1, width * 5 - x)), data.draw(st.integers(1, height * 7 - y))
    share = covered_share(mask, (width * 5, height * 7), np.array([[x, y, w, h]]))
    assert share[0] == pytest.approx(fine[y : y + h, x : x + w].mean(), abs=1e-9)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tissue": {"name": "otsi"}}, "did you mean 'otsu'"),
        ({"tissue": {"name": "otsu", "leats": 0.1}}, "did you mean 'least'"),
        ({"tissue": {"name": "otsu", "holes": "keep"}}, "'otsu' has no option 'holes'"),
        ({"tissue": {"name": "classical", "focsu": True}}, "did you mean 'focus'"),
        ({"tissue": {"name": "classical", "holes": "fill"}}, "give 'keep' or 'drop'"),
        ({"tissue": {"least": 0.1}}, "needs the option 'name'"),
        ({"tissue": {"name": "otsu", "least": 25}}, "between 0 and 1"),
        ({"spacing_um": 0.0}, "between 0.05 and 50"),
        ({"side_px": 0}, "2 pixels or more"),
    ],
)
def test_options_that_cannot_be(options, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Grid(**options)


@pytest.mark.data
def test_a_coarse_real_slide_is_refused_at_half_a_micron_and_works_at_thirty(shared):
    path = shared / "data/wsi-small/slides/camelyon_multi_frame_jpeg2000.dcm"
    with open_source(path, "slide") as source:
        with pytest.raises(SourceError, match=r"28\.9685 µm/px .* 0\.5 asked"):
            Grid()(source)
        kept = Grid(side_px=64, spacing_um=30.0, tissue=OTSU)(source)
        assert 0.2 < len(kept) / len(Grid(side_px=64, spacing_um=30.0)(source)) < 0.6


@pytest.mark.data
def test_the_tissue_of_a_real_slide(shared):
    with open_source(shared / "data/wsi-small/slides/CMU-1-Small-Region.svs", "slide") as source:
        kept = {tuple(box[:2] // 224) for box in Grid(tissue=OTSU)(source).box_px}
        assert len(kept) < len(Grid()(source)) == 117
    assert {(4, 5), (4, 9), (3, 12), (6, 11)} <= kept  # epidermis and dermis
    assert not {(0, 0), (8, 0), (8, 12), (0, 11)} & kept  # glass in the corners
