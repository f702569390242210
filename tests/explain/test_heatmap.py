import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError, RunError
from wholecase.explain import SCALES, Evidence, paint, shown
from wholecase.explain.colours import colours
from wholecase.explain.heatmap import by_evidence, by_rank, by_size, by_times
from wholecase.explain.legend import legend

BOXES = np.array([[0, 0, 40, 40], [40, 0, 40, 40], [40, 40, 40, 40]])
GREY = np.full((400, 600, 3), 150, np.uint8)


def tile_colour(picture, box):
    x, y = (box[:2] + 20) // 4
    return picture[y, x].astype(int)


def blended(heat):
    return np.round(0.5 * 150 + 0.5 * colours(np.array(heat))).astype(int)


def test_colours_are_those_of_viridis():
    reference = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_VIRIDIS)
    difference = np.abs(colours(np.linspace(0, 1, 256)).astype(int) - reference[0, :, ::-1])
    assert difference[::17].max() <= 1
    assert difference.max() <= 8


def test_lightness_rises_throughout():
    luma = colours(np.linspace(0, 1, 64)) @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(luma) > 0).all()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_rank_agrees_with_counting(weights):
    w = np.array(weights)
    below = np.array([(w < v).sum() + ((w == v).sum() - 1) / 2 for v in w])
    assert by_rank(w).values == pytest.approx(below / (len(w) - 1))


def test_rank_hides_the_size_and_absolute_shows_it():
    weights = np.array([0.01, 0.02, 0.97])
    rank = paint(GREY, 4.0, BOXES, weights)
    size = paint(GREY, 4.0, BOXES, weights, scale="absolute")
    assert np.abs(tile_colour(rank, BOXES[1]) - blended(0.5)).max() <= 1
    assert np.abs(tile_colour(size, BOXES[1]) - blended(0.02 / 0.97)).max() <= 1
    for picture in (rank, size):
        assert np.abs(tile_colour(picture, BOXES[2]) - blended(1.0)).max() <= 1


@pytest.mark.parametrize("scale", SCALES)
def test_constant_weights_have_one_colour(scale):
    picture = paint(GREY, 4.0, BOXES, np.full(3, 1 / 3, np.float32), scale=scale)
    first, *others = (tile_colour(picture, box) for box in BOXES)
    assert all((other == first).all() for other in others)
    assert (np.abs(first - blended(0.5)).max() <= 1) == (scale == "rank")


@pytest.mark.parametrize("scale", SCALES)
def test_one_tile_and_zero_weight_can_be_painted(scale):
    picture = paint(GREY, 4.0, BOXES[:1], np.zeros(1), scale=scale)
    assert (tile_colour(picture, BOXES[0]) != 150).any()


def test_size_keeps_negative_weights_apart():
    heat = by_size(np.array([-1.0, 0.0, 1.0]))
    assert heat.values.tolist() == [0.0, 0.5, 1.0]
    assert (heat.low, heat.high) == ("attention: -1", "1 (weight)")


def test_outside_the_tiles_the_thumbnail_is_grey_and_otherwise_untouched():
    rng = np.random.default_rng(0)
    thumbnail = rng.integers(0, 256, size=(400, 600, 3), dtype=np.uint8)
    picture = paint(thumbnail, 4.0, BOXES, np.array([0.1, 0.2, 0.7]))
    outside = np.ones((400, 600), bool)
    outside[:10, :20] = outside[:20, 10:20] = False
    shown = picture[:400, :600][outside]
    assert (shown == shown[:, :1]).all()
    reference = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY)[outside]
    assert np.abs(shown[:, 0].astype(int) - reference).max() <= 1
    assert (picture[5, 5] != picture[5, 5, 0]).any()


@pytest.mark.parametrize(("opacity", "expected"), [(0.0, [150] * 3), (1.0, [253, 231, 37])])
def test_opacity_is_the_share_of_colour(opacity, expected):
    picture = paint(GREY, 4.0, BOXES, np.array([0.1, 0.2, 0.7]), opacity=opacity)
    assert tile_colour(picture, BOXES[2]).tolist() == expected


@pytest.mark.parametrize("opacity", [0.0, 0.3, 0.5, 1.0])
def test_every_pixel_is_the_mix_of_grey_and_colour(opacity):
    rng = np.random.default_rng(1)
    thumbnail = rng.integers(0, 256, size=(400, 600, 3), dtype=np.uint8)
    box_px = np.array([[x, y, 96, 96] for x in range(0, 2300, 96) for y in range(96, 1500, 96)])
    box_px = box_px[rng.random(len(box_px)) < 0.6]
    heat = by_rank(weights := rng.random(len(box_px))).values
    luma = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(float)
    expected = np.repeat(luma[..., None], 3, axis=2)
    for (x, y, side, _), value in zip(box_px // 4, heat, strict=True):
        tile = expected[y : y + side, x : x + side]
        tile[:] = (1 - opacity) * tile + opacity * colours(np.array(value))
    shown = paint(thumbnail, 4.0, box_px, weights, opacity=opacity)[:400, :600]
    assert np.abs(shown - expected).max() <= 1
    # the same tiles, one of them twice: no grid, the same picture
    twice = np.vstack([box_px, box_px[:1]]), np.append(weights, weights[0])
    again = paint(thumbnail, 4.0, *twice, opacity=opacity, scale="absolute")[:400, :600]
    once = paint(thumbnail, 4.0, box_px, weights, opacity=opacity, scale="absolute")[:400, :600]
    np.testing.assert_array_equal(again, once)


def test_legend_shows_all_colours_below_the_picture():
    picture = paint(GREY, 4.0, BOXES, np.array([0.1, 0.2, 0.7]))
    assert picture.shape[1] == 600
    legend = picture[400:]
    middle = legend[1 + (len(legend) - 1) // 2].astype(int)
    for heat in np.linspace(0, 1, 9):
        assert np.abs(middle - colours(np.array(heat))).max(axis=1).min() <= 8, heat


def test_words_differ_with_the_scale():
    weights = np.array([0.1, 0.2, 0.7])
    rank, size, *_ = (paint(GREY, 4.0, BOXES, weights, scale=s)[400:] for s in SCALES)
    assert rank.shape != size.shape or (rank != size).any()


@pytest.mark.parametrize("pixel_um", [0.5, 2.0, 30.0])
def test_ruler_is_as_long_as_it_says(pixel_um):
    plain, ruled = (legend(800, "low", "high", p)[1:] for p in (None, pixel_um))
    extra = np.flatnonzero((plain != ruled).any(axis=(0, 2)))
    # the ruler's row of ink: the longest run of dark pixels right of the key
    dark = (ruled[len(ruled) // 2, extra[0] :] < 60).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], dark, [False])).astype(int)))
    length_mm = (edges[1::2] - edges[::2]).max() * pixel_um / 1000
    mantissa = length_mm / 10 ** np.floor(np.log10(length_mm * 1.02))
    assert min(abs(mantissa - m) / m for m in (1, 2, 5)) < 0.02
    assert 0.05 <= length_mm * 1000 / pixel_um / 800 <= 0.25


def test_a_narrow_picture_is_widened_not_squeezed():
    narrow = np.full((60, 20, 3), 90, np.uint8)
    shown = paint(narrow, 4.0, BOXES[:1], np.ones(1), spacing_um=0.5)
    assert shown.shape[1] > 100
    assert (shown[30:60, 12:20] == 90).all()
    assert (shown[:60, 20:] == 255).all()


@pytest.mark.parametrize("weights", [np.zeros(0), np.array([0.1, np.nan, 0.2])])
def test_what_cannot_be_painted_is_refused(weights):
    with pytest.raises(RunError, match="at least one tile and a finite weight"):
        paint(GREY, 4.0, BOXES[: len(weights)], weights)


def test_an_unknown_scale_is_told_its_neighbour():
    with pytest.raises(RecipeError, match="did you mean 'rank'"):
        paint(GREY, 4.0, BOXES, np.ones(3), scale="ranks")


@pytest.mark.data
def test_a_real_slide_keeps_its_tissue_where_it_was(shared):
    import openslide

    path = shared / "data/wsi-small/slides/CMU-1-Small-Region.svs"
    with openslide.OpenSlide(path) as slide:
        thumbnail = np.asarray(slide.get_thumbnail((500, 500)).convert("RGB"))
        width, height = slide.dimensions
    downsample = width / thumbnail.shape[1]
    x, y = (a.ravel() for a in np.meshgrid(*(np.arange(0, n - 224, 224) for n in (width, height))))
    box_px = np.stack([x, y, np.full_like(x, 224), np.full_like(x, 224)], axis=1)
    centre = (box_px[:, :2] + 112) / downsample
    darkness = 255.0 - thumbnail[tuple(centre.astype(int).T[::-1])].mean(axis=1)
    picture = paint(thumbnail, downsample, box_px, darkness, opacity=1.0, spacing_um=0.499)
    best = centre[darkness.argmax()].astype(int)
    assert picture[best[1], best[0]].tolist() == [253, 231, 37]


def evidence_of(weights, logits, image=None):
    count = len(weights)
    return Evidence(
        weights=np.array(weights)[:, None],
        scores=np.zeros((count, 1)),
        image=np.zeros(count, np.int64) if image is None else np.array(image),
        box_px=np.tile([0, 0, 40, 40], (count, 1)),
        position_um=np.zeros((count, 3), np.float32),
        logits=np.array(logits, np.float32).reshape(count, -1),
    )


def test_a_negative_case_is_not_painted_as_alarming_as_a_positive_one():
    """Attention alike; the one speaks for the class, the other against it."""
    weights = [0.1, 0.2, 0.7]
    positive = evidence_of(weights, [0.0, 0.1, 20.0])
    negative = evidence_of(weights, [0.0, -0.1, -20.0])
    heats = [by_evidence(shown(one)[0]).values for one in (positive, negative)]
    assert heats[0].max() > 0.9
    assert heats[1].max() == 0.5
    by_order = [by_rank(shown(one, "rank")[0]).values.max() for one in (positive, negative)]
    assert by_order == [1.0, 1.0]
    pictures = [
        paint(GREY, 4.0, BOXES, shown(one)[0], scale="evidence") for one in (positive, negative)
    ]
    red, blue = (tile_colour(picture, BOXES[2]) for picture in pictures)
    assert red[0] > red[2]
    assert blue[2] > blue[0]


def test_flat_attention_is_of_the_middle_colour_and_one_image_counts_as_part_of_its_case():
    flat = evidence_of([0.25] * 4, np.zeros((4, 0)), image=[0, 0, 0, 1])
    values, scale = shown(flat)
    assert scale == "times"
    assert by_times(values).values.tolist() == [0.5] * 4
    alone, _ = shown(flat.of_image(1))
    assert alone.tolist() == [1.0]
    with pytest.raises(RunError, match="--scale times"):
        shown(flat, "evidence")
