"""The classical mask: every stain and glass, and nothing of ink, borders, lines and dirt."""

import functools

import cv2
import numpy as np
import pytest

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.instances import Classical, Otsu, covered_share
from wholecase.instances.grid import squares
from wholecase.phantoms.fields import SKETCH, draw_fibres
from wholecase.phantoms.ground import draw_ground
from wholecase.phantoms.plan import plan_cohort
from wholecase.phantoms.slide import draw_slide
from wholecase.phantoms.slides import SIZE_UM
from wholecase.phantoms.spoilt import ARTEFACTS, spoil
from wholecase.phantoms.stained import STAINS, draw_stained
from wholecase.phantoms.tissue import Plot, cover_of
from wholecase.sources import open_source, thumbnail


def dice(mask, truth):
    return 2 * (mask & truth).sum() / (mask.sum() + truth.sum())


drawn_once = functools.cache(draw_stained)


def judged(slide, **options):
    return Classical(**options)(slide.pixels, slide.spacing_um)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("stain", STAINS)
def test_every_stain(stain, seed):
    slide = drawn_once(stain, seed)
    # the fat of a faint counterstain, and of no stain at all, cannot be told from glass
    least = {"faint dab": 0.91, "bleached": 0.9}.get(stain, 0.95)
    assert dice(judged(slide), slide.tissue) > least


@pytest.mark.parametrize("glass", [(225, 235, 248), (250, 242, 218), (255, 255, 255)])
@pytest.mark.parametrize("stain", ["h&e", "pale h&e", "haematoxylin", "dab"])
def test_bluish_yellowish_and_burnt_out_glass(stain, glass):
    slide = draw_stained(stain, 3, glass=glass)
    assert dice(judged(slide), slide.tissue) > 0.95


@pytest.mark.parametrize("artefact", sorted(set(ARTEFACTS) - {"out of focus"}))
@pytest.mark.parametrize("stain", ["h&e", "dab", "haematoxylin", "pale h&e"])
def test_what_spoils_a_slide_is_left_out_and_the_rest_stays(stain, artefact):
    clean = drawn_once(stain, 1)
    slide = spoil(clean, artefact, 1)
    assert not np.array_equal(slide.pixels, clean.pixels)
    mask = judged(slide)
    marked = "pen" in artefact or artefact == "fold"
    assert dice(mask, slide.tissue & ~slide.spoiled) > (0.9 if marked else 0.95)
    assert mask[slide.spoiled].mean() < 0.05 if slide.spoiled.any() else True


@pytest.mark.parametrize("artefact", ["coverslip", "debris", "bubble", "black border", "red pen"])
def test_a_blank_slide_with_dirt_holds_no_tissue(artefact):
    slide = drawn_once("bleached", 1)
    rng = np.random.default_rng(1)
    glass = np.clip(rng.normal(242, 1.2, slide.pixels.shape), 0, 255).astype(np.uint8)
    blank = type(slide)(
        glass, np.zeros_like(slide.tissue), slide.cavities & False, slide.spoiled, 8.0
    )
    assert not judged(spoil(blank, artefact, 2)).any()


def test_a_shadow_on_blank_glass_is_no_tissue():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:600, :800]
    shade = 1 - 0.15 * np.exp(-(((x - 300) / 150) ** 2) - ((y - 300) / 120) ** 2)
    pixels = np.clip(242 * shade[..., None] + rng.normal(0, 1.2, (600, 800, 3)), 0, 255)
    assert not Classical()(pixels.astype(np.uint8), 8.0).any()


def test_dark_field_is_no_tissue():
    pixels = np.full((300, 400, 3), 5, np.uint8)
    cv2.circle(pixels, (150, 150), 60, (40, 220, 60), -1)
    assert not Classical()(pixels, 8.0).any()


def test_white_that_is_painted_around_dark_field_is_no_glass():
    pixels = np.full((300, 400, 3), 5, np.uint8)
    cv2.circle(pixels, (150, 150), 60, (40, 220, 60), -1)
    pixels[:, 300:] = 255
    pixels[270:] = 255
    assert not Classical()(pixels, 8.0).any()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("glass", [250, 255])
def test_black_filling_beside_bright_glass_is_no_dark_field(share, side, glass):
    scan = np.full((200, 200, 3), glass, np.uint8)
    cv2.circle(scan, (100, 100), 60, (190, 90, 150), -1)
    alone = Classical()(scan, 8.0)
    black = np.zeros((round(200 * share / (1 - share)), 200, 3), np.uint8)
    whole = np.concatenate([scan, black])
    mask = Classical()(whole.swapaxes(0, 1).copy() if side else whole, 8.0)
    mask = mask.T if side else mask
    assert np.array_equal(mask[:200], alone)
    assert not mask[200:].any()
    assert 0.95 < alone.sum() / (np.pi * 60**2) < 1.15


@pytest.mark.parametrize("stain", ["h&e", "dab", "pas"])
def test_holes_are_kept_or_dropped(stain):
    slide = drawn_once(stain, 1)
    kept, dropped = judged(slide, holes="keep"), judged(slide, holes="drop")
    inside = cv2.erode(slide.cavities.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert inside.any()
    assert kept[inside].mean() < 0.02
    assert dropped[slide.cavities].all()
    assert dice(dropped, slide.tissue | slide.cavities) > 0.95
    assert np.array_equal(judged(slide, hole_um2=1e9), dropped)


def test_a_hole_is_judged_by_its_physical_area():
    pixels = np.full((200, 200, 3), (190, 110, 160), np.uint8)
    pixels[50:80, 60:90] = 240  # 30 x 30 px
    assert not Classical()(pixels, 8.0)[60:70, 70:80].any()  # 57,600 µm²
    assert Classical()(pixels, 4.0)[60:70, 70:80].all()  # 14,400 µm²


@pytest.mark.parametrize("stain", ["haematoxylin", "dab", "pas"])
def test_out_of_focus_is_left_out_when_asked(stain):
    sharp = drawn_once(stain, 2)
    slide = spoil(sharp, "out of focus", 2)
    truth = slide.tissue & ~slide.spoiled
    assert dice(judged(slide), truth) < 0.85
    assert dice(judged(slide, focus=True), truth) > 0.92
    assert dice(judged(sharp, focus=True), sharp.tissue) > 0.95  # nothing is lost without cause


def test_a_broad_blue_area_is_a_stain_and_a_stroke_of_its_colour_is_ink():
    pixels = np.full((1000, 1500, 3), 242, np.uint8)
    cv2.rectangle(pixels, (100, 100), (600, 700), (60, 90, 190), -1)  # 4 mm
    cv2.line(pixels, (900, 100), (1400, 800), (60, 90, 190), 80)  # 640 µm
    mask = Classical()(pixels, 8.0)
    assert mask[120:680, 120:580].all()
    assert not mask[:, 850:].any()
    assert Classical(ink="keep")(pixels, 8.0)[450, 1150]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"holes": "fill"}, "cut.tissue.holes is 'fill'; give 'keep' or 'drop'"),
        ({"ink": "x"}, "cut.tissue.ink is 'x'"),
        ({"hole_um2": -1.0}, "cut.tissue.hole_um2 is -1"),
        ({"hole_um2": float("nan")}, "cut.tissue.hole_um2 is nan"),
    ],
)
def test_options_that_cannot_be(options, sentence):
    with pytest.raises(RecipeError, match=sentence):
        Classical(**options)


def covered(case, seed, shape):
    """Where a drawn slide's tissue lies, from the same chances as the slide itself."""
    scale = 0.5 / case.spacing_um
    small = (-(-shape[0] // SKETCH), -(-shape[1] // SKETCH))
    ground = draw_ground(generator(seed, case.id, "ground"), small, scale)
    fibres = draw_fibres(generator(seed, case.id, "fibres"), shape, scale)
    return cover_of(Plot(ground, fibres, {}, shape, scale)) > 0


def test_drawn_slides_with_their_folds_and_pens_are_cut_as_truth_says():
    """Better than Otsu, no nest is lost, and as many squares are kept."""
    planned = plan_cohort(12, 3, SIZE_UM)
    pens = [case for case in planned if case.pen]
    cases = [*pens, *(case for case in planned if case.nests and not case.pen)][:4]
    assert len(pens) >= 2
    assert any(case.folds for case in cases)
    assert sum(case.nests > 0 for case in cases) >= 2
    scores = []
    for case in cases:
        drawn = draw_slide(case, 3)
        height, width = drawn.pixels.shape[:2]
        factor = case.spacing_um / 8
        size = round(width * factor), round(height * factor)
        small = cv2.resize(drawn.pixels, size, interpolation=cv2.INTER_AREA)
        cover = covered(case, 3, (height, width))
        truth = cv2.resize(cover.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
        nests = cv2.resize(drawn.mask, size, interpolation=cv2.INTER_NEAREST) > 0
        mask = Classical()(small, 8.0)
        scores.append((dice(mask, truth), dice(Otsu()(small, 8.0), truth)))
        assert scores[-1][0] > (0.9 if case.pen else 0.97)
        assert mask[nests].all() or mask[nests].mean() > 0.97
        boxes = squares((width, height), 112 / case.spacing_um)
        kept = covered_share(mask, (width, height), boxes) >= 0.25
        true = covered_share(cover, (width, height), boxes) >= 0.25
        assert (kept != true).sum() <= (10 if case.pen else 2)
    classical, otsu = np.mean(scores, axis=0)
    assert classical > otsu


@pytest.mark.data
def test_real_ink_and_black_filling_are_left_out(shared):
    """Green and blue strokes over prostate, at about 8 µm/px."""
    path = shared / "data/wsi-small/slides/TCGA-XK-AAJU-01A-01-TS1_small.dcm"
    with open_source(path, "slide", 8.0) as source:
        pixels = thumbnail(source, 4000).pixels  # [2638, 3236, 3]
    mask = Classical()(cv2.copyMakeBorder(pixels, 0, 362, 0, 264, cv2.BORDER_CONSTANT), 8.0)
    assert not mask[2638:].any()
    assert not mask[:, 3236:].any()
    mask = mask[:2638, :3236]
    red, green, blue = pixels.astype(int).transpose(2, 0, 1)
    inked = (red < 100) & (green > red + 40)  # green strokes on glass
    assert inked.sum() > 50_000
    assert mask[inked].mean() < 0.01
    assert mask[(blue > 80) & (red < 30)].mean() < 0.02
    pink = (red > green + 40) & (red > 180)
    assert mask[pink].mean() > 0.97
    assert 0.40 < mask.mean() < 0.46


@pytest.mark.data
def test_pen_and_cover_glass_of_a_real_slide(shared):
    path = shared / "data/wsi-small/slides/camelyon_multi_frame_jpeg2000.dcm"
    with open_source(path, "slide") as source:
        mask = Classical()(thumbnail(source, 1696).pixels, 28.9685)
    assert not mask[:20, 60:130].any()  # the edge of the cover glass
    assert not mask[650:, :200].any()
    assert mask[640:700, 240:330].mean() > 0.35  # fat below the node
    assert mask[200:400, 200:400].mean() > 0.96
    assert mask[420:500, 640:710].mean() > 0.7  # fat on its right
