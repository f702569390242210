"""The encoder without weights: finite, repeatable, tile by tile, and of use on real tissue."""

import csv

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wholecase.core.seeds import generator
from wholecase.encoders.colour import CLIP, COLOUR_WIDTH, encode_colour
from wholecase.phantoms.plan import plan_cohort
from wholecase.phantoms.slide import draw_slide


@pytest.fixture(scope="module")
def tiles():
    slide = draw_slide(plan_cohort(2, 4, (1000.0, 800.0))[0], 4).pixels
    middle = slide[slide.shape[0] // 2 - 336 :, slide.shape[1] // 2 - 336 :][:672, :672]
    cut = [middle[y : y + 224, x : x + 224] for y in (0, 224, 448) for x in (0, 224, 448)]
    return np.stack(cut)


def test_drawn_tissue_is_near_the_origin(tiles):
    values = encode_colour(tiles)
    assert values.shape == (9, COLOUR_WIDTH)
    assert values.dtype == np.float32
    assert np.abs(values.mean(0)).mean() < 1.2
    assert np.abs(values).max() <= CLIP
    assert (np.abs(values) < CLIP).mean() > 0.95


def test_a_tile_is_encoded_alone(tiles):
    together = encode_colour(tiles)
    assert np.array_equal(
        together, np.concatenate([encode_colour(tiles[i : i + 1]) for i in range(9)])
    )
    assert np.array_equal(together[::-1], encode_colour(np.ascontiguousarray(tiles[::-1])))
    assert encode_colour(tiles[:0]).shape == (0, COLOUR_WIDTH)


def test_memory_layout_does_not_matter(tiles):
    assert np.array_equal(encode_colour(tiles), encode_colour(np.asfortranarray(tiles)))


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_quarter_turn_changes_little(tiles, turn):
    turned = np.ascontiguousarray(np.rot90(tiles, turn, axes=(1, 2)))
    change = np.abs(encode_colour(turned) - encode_colour(tiles))
    assert change.max() < 0.1


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_constant_tiles_are_finite(value):
    assert np.isfinite(encode_colour(np.full((1, 224, 224, 3), value, np.uint8))).all()


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (224, 96)])
def test_odd_sizes_are_encoded(shape):
    noise = generator(1, shape).integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    assert np.isfinite(encode_colour(noise)).all()


@given(arrays.arrays(np.uint8, (1, 40, 40, 3), elements=st.integers(0, 255)))
@settings(max_examples=40, deadline=None)
def test_any_pixels_give_finite_bounded_values(pixels):
    values = encode_colour(pixels)
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= CLIP


def test_small_tiles_are_refused():
    with pytest.raises(ValueError, match="too small"):
        encode_colour(np.zeros((1, 31, 64, 3), np.uint8))


def test_larger_dark_blobs_leave_more_after_openings():
    values = []
    for radius, step in ((4, 18), (12, 54)):
        tile = np.full((224, 224, 3), (235, 190, 220), np.uint8)
        for y in range(step, 224 - step // 2, step):
            for x in range(step, 224 - step // 2, step):
                cv2.circle(tile, (x, y), radius, (80, 50, 130), -1, cv2.LINE_AA)
        values.append(encode_colour(tile[None])[0])
    openings = slice(COLOUR_WIDTH - 6, COLOUR_WIDTH)
    assert (values[1][openings] >= values[0][openings]).all()
    assert (values[1] - values[0])[openings].max() > 2


@pytest.mark.parametrize("side", [32, 64, 224])
def test_where_a_tile_lies_in_memory_changes_no_bit(side):
    # some of OpenCV's functions round the last bit by the alignment of their buffers
    rng = np.random.default_rng(0)
    tiles = np.stack(
        [cv2.resize(rng.integers(40, 200, (5, 5, 3), np.uint8), (side, side)) for _ in range(8)]
    )
    expected = encode_colour(tiles)
    for _ in range(40):
        kept = [np.empty(int(rng.integers(1, 50_000)), np.uint8) for _ in range(3)]
        assert encode_colour(tiles).tobytes() == expected.tobytes(), len(kept)


@pytest.mark.data
def test_real_lung_cancers_are_told_apart_case_by_case(shared):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folder = shared / "data" / "lc25000-lung"
    with (folder / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cases = {row["case_id"]: row for row in rows if row["label"] != "benign"}
    chosen = [cases[name] for name in sorted(cases)][::2]
    read = [cv2.imread(str(folder / row["path"]))[..., ::-1] for row in chosen]
    values = encode_colour(np.stack(read))
    truth = np.array([row["label"] == "squamous" for row in chosen])
    assert 0.3 < truth.mean() < 0.7
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(C=0.1, max_iter=2000)
    guess = cross_val_predict(model, values, truth, cv=folds, method="predict_proba")[:, 1]
    assert roc_auc_score(truth, guess) > 0.85
