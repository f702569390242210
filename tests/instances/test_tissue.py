"""The mask: stained area, and nothing of blank glass, noise, dust or black edges."""

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from wholecase.instances import TISSUES
from wholecase.sources import open_source, thumbnail


@pytest.fixture(params=TISSUES)
def tissue(request):
    return TISSUES[request.param]()


def glass(tint=(242, 242, 242), size=(300, 400), noise=5.0):
    rng = np.random.default_rng(1)
    return np.clip(np.array(tint) + rng.normal(0, noise, (*size, 3)), 0, 255).astype(np.uint8)


def as_jpeg(pixels, quality):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("quality", [20, 40, 70, 90])
@pytest.mark.parametrize(
    "tint", [(255, 255, 255), (242, 242, 242), (243, 238, 230), (236, 240, 228)]
)
def test_blank_glass_is_empty_whatever_lamp_and_compression(tissue, tint, quality):
    assert not tissue(as_jpeg(glass(tint), quality), 8.0).any()


@pytest.mark.parametrize("level", [0, 3, 40, 128, 255])
def test_flat_grey_is_empty(tissue, level):
    assert not tissue(np.full((50, 60, 3), level, np.uint8), 8.0).any()


def test_dark_noise_beyond_the_scan_is_empty(tissue):
    pixels = glass()
    pixels[:, :150] = np.random.default_rng(2).integers(0, 12, (300, 150, 3))
    assert not tissue(pixels, 8.0).any()


def test_a_pale_and_a_strong_piece_are_both_found(tissue):
    pixels = glass()
    cv2.circle(pixels, (100, 150), 60, (120, 50, 140), -1)
    cv2.circle(pixels, (290, 150), 60, (235, 205, 225), -1)
    drawn = np.zeros((300, 400), np.uint8)
    cv2.circle(drawn, (100, 150), 60, 1, -1)
    cv2.circle(drawn, (290, 150), 60, 1, -1)
    mask = tissue(as_jpeg(pixels, 70), 8.0)
    assert (mask & (drawn > 0)).sum() / (mask | (drawn > 0)).sum() > 0.9


def test_dust_goes_by_its_physical_size(tissue):
    pixels = glass()
    pixels[100:110, 100:110] = (150, 60, 150)
    assert not tissue(pixels, 8.0).any()  # 80 µm
    assert tissue(pixels, 16.0).any()  # 160 µm


def test_gaps_of_a_lumen_close_and_a_cavity_stays(tissue):
    pixels = np.full((200, 200, 3), (190, 110, 160), np.uint8)
    pixels[50:54] = pixels[120:160, 100:180] = 240
    mask = tissue(pixels, 8.0)
    assert mask[52, 20:180].all()
    assert not mask[130:150, 115:165].any()


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (40, 1)])
def test_images_of_a_few_pixels(tissue, size):
    assert tissue(np.full((*size, 3), (190, 110, 160), np.uint8), 30.0).shape == size


@pytest.mark.parametrize("name", TISSUES)
def test_settings_name_the_segmenter_and_lead_back_to_it(name):
    settings = TISSUES[name]().settings
    assert settings["name"] == name
    assert json.loads(json.dumps(settings)) == settings
    options = {k: v for k, v in settings.items() if k not in {"name", "version"}}
    assert TISSUES[name](**options).settings == settings


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "slide", "longest_px", "low", "high"),
    [
        ("otsu", "CMU-1-Small-Region.svs", 186, 0.33, 0.43),
        ("classical", "CMU-1-Small-Region.svs", 186, 0.35, 0.44),
        ("otsu", "camelyon_multi_frame_jpeg2000.dcm", 1696, 0.25, 0.35),
        ("classical", "camelyon_multi_frame_jpeg2000.dcm", 1696, 0.35, 0.43),  # with its fat
    ],
)
def test_the_share_of_real_slides(name, slide, shared, longest_px, low, high):
    with open_source(shared / "data/wsi-small/slides" / slide, "slide") as source:
        small = thumbnail(source, longest_px)
        assert source.spacing is not None
        mask = TISSUES[name]()(small.pixels, source.spacing.um * small.downsample)
    assert low < mask.mean() < high


@pytest.mark.data
def test_real_images_full_of_tissue_are_tissue_nearly_all_over(tissue, shared):
    files = sorted((shared / "data/monuseg-organs/images").glob("*.jpg"))
    shares = []
    for path in files:
        with open_source(path, "still", 0.25) as source:
            shares.append(tissue(thumbnail(source, 32).pixels, 7.8125).mean())
    assert len(shares) > 20
    assert min(shares) > 0.75
    assert np.mean(shares) > 0.97
