import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.explain import localisation_auc, mask_share


@pytest.fixture
def save(tmp_path):
    def write(levels, name="mask.png"):
        Image.fromarray(levels).save(tmp_path / name)
        return tmp_path / name

    return write


@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1, 2, 5]))
@settings(max_examples=25, deadline=None)
def test_share_agrees_with_counting_pixels(tmp_path_factory, seed, factor):
    rng = np.random.default_rng(seed)
    levels = np.where(rng.random((12, 16)) < 0.4, 255, 0).astype(np.uint8)
    levels[0, 0] = 255
    path = tmp_path_factory.mktemp("m") / "mask.png"
    Image.fromarray(levels).save(path)
    full = np.kron(levels == 255, np.ones((factor, factor)))
    first = rng.integers(0, 10 * factor, size=(8, 2))
    box_px = np.hstack([first, rng.integers(1, 2 * factor + 1, size=(8, 2))])
    counted = [full[y : y + h, x : x + w].mean() for x, y, w, h in box_px]
    shares = mask_share(path, (16 * factor, 12 * factor), box_px)
    assert shares == pytest.approx(counted, abs=1e-9)


def test_untouched_is_exactly_nothing(save):
    levels = np.zeros((500, 700), np.uint8)
    levels[:, :350] = 255
    rng = np.random.default_rng(0)
    box_px = np.hstack(
        [rng.integers((3600, 0), (6800, 4800), size=(200, 2)), np.full((200, 2), 97)]
    )
    shares = mask_share(save(levels), (7003, 4999), box_px)
    assert (shares == 0).all()


def test_beyond_the_image_is_not_white(save):
    path = save(np.full((10, 10), 255, np.uint8))
    shares = mask_share(path, (100, 100), np.array([[90, 0, 20, 20], [-10, -10, 20, 20]]))
    assert shares == pytest.approx([0.5, 0.25])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_every_kind_of_png_is_read(tmp_path, mode):
    image = Image.new("L", (8, 8))
    image.paste(255, (0, 0, 4, 8))
    image.convert(mode).save(tmp_path / "mask.png")
    shares = mask_share(tmp_path / "mask.png", (8, 8), np.array([[0, 0, 4, 4], [2, 0, 4, 4]]))
    assert shares.tolist() == [1.0, 0.5]


def test_a_mask_of_another_crop_is_refused(save):
    path = save(np.full((100, 120), 255, np.uint8))
    box_px = np.array([[0, 0, 10, 10]])
    assert mask_share(path, (1210, 1000), box_px) == pytest.approx([1])
    with pytest.raises(SourceError, match="120 x 100 and the image 1000 x 1000"):
        mask_share(path, (1000, 1000), box_px)


def test_a_mask_of_ones_is_not_taken_for_an_empty_one(save):
    with pytest.raises(SourceError, match="save findings as 255"):
        mask_share(save(np.eye(8, dtype=np.uint8)), (8, 8), np.array([[0, 0, 4, 4]]))
    black = mask_share(save(np.zeros((8, 8), np.uint8)), (8, 8), np.array([[0, 0, 4, 4]]))
    assert black.tolist() == [0]


@pytest.mark.parametrize("content", [None, b"", b"not a picture", "cut"])
def test_an_unreadable_mask_costs_the_image(save, tmp_path, content):
    path = tmp_path / "broken.png"
    if content == "cut":
        noise = np.random.default_rng(0).integers(0, 256, size=(50, 50), dtype=np.uint8)
        path.write_bytes(save(noise).read_bytes()[:900])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=r"broken\.png: the mask cannot be read"):
        mask_share(path, (50, 50), np.array([[0, 0, 4, 4]]))


def test_auc_compares_annotated_with_untouched_tiles_only():
    share = np.array([1.0, 0.25, 0.1, 0.0, 0.0])
    assert localisation_auc(np.array([5.0, 4.0, 0.0, 3.0, 2.0]), share) == 1
    assert localisation_auc(np.array([5.0, 3.0, 9.0, 3.0, 2.0]), share) == 3.5 / 4
    assert localisation_auc(np.array([5.0, 0.0, 9.0, 3.0, 2.0]), share, least=0.5) == 1


@pytest.mark.parametrize("share", [[0.0, 0.0], [1.0, 0.5], [0.1, 0.0], [0.1, 0.2]])
def test_auc_needs_both_sides(share):
    assert localisation_auc(np.array([0.3, 0.7]), np.array(share)) is None
