"""A drawn cohort on disk: the same bytes, readable as slides, masks where the nests are."""

import csv

import cv2
import numpy as np
import openslide
import pytest

from wholecase.core.errors import RecipeError
from wholecase.phantoms import draw_slides
from wholecase.phantoms.lesions import MASK_STEP, NEST
from wholecase.phantoms.plan import SITES, plan_cohort
from wholecase.phantoms.slide import draw_slide

SMALL = (1000.0, 800.0)


def rows_of(manifest):
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def content_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_slides(tmp_path_factory.mktemp("drawn"), cases=4, seed=5, size_um=SMALL)


def test_workers_do_not_change_a_byte(drawn, tmp_path):
    again = draw_slides(tmp_path, cases=4, seed=5, workers=2, size_um=SMALL)
    assert content_of(again.parent) == content_of(drawn.parent)


def test_another_seed_is_another_cohort(drawn, tmp_path):
    other = draw_slides(tmp_path, cases=2, seed=6, size_um=SMALL)
    mine, theirs = content_of(drawn.parent), content_of(other.parent)
    assert mine["slides/phantom-001.tif"] != theirs["slides/phantom-001.tif"]


def test_metastases_lie_where_nests_would_and_look_otherwise(drawn, tmp_path):
    other = draw_slides(tmp_path, cases=4, seed=5, size_um=SMALL, lesion="metastasis")
    assert sorted(row["label"] for row in rows_of(other)) == ["normal"] * 2 + ["tumor"] * 2
    mine, theirs = content_of(drawn.parent), content_of(tmp_path)
    changed = {name for name in mine if mine[name] != theirs[name]}
    positive = [row["path"] for row in rows_of(other) if row["label"] == "tumor"]
    assert changed == {*positive, "cohort.csv"}  # the masks are the same, and the negatives


def test_an_unknown_lesion_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="nest"):
        draw_slides(tmp_path, cases=2, seed=5, lesion="nests")


def test_the_manifest_names_files_that_are_there(drawn):
    rows = rows_of(drawn)
    expected = ["case_id", "patient_id", "path", "label", "kind", "site", "mask"]
    assert list(rows[0]) == expected
    assert sorted(row["label"] for row in rows) == ["mutated"] * 2 + ["wild-type"] * 2
    named = {name for row in rows for name in (row["path"], row["mask"]) if name}
    assert named == set(content_of(drawn.parent)) - {"cohort.csv"}
    assert all((row["mask"] != "") == (row["label"] == "mutated") for row in rows)
    assert {row["kind"] for row in rows} == {"slide"}


def test_openslide_reads_levels_spacing_and_the_drawn_pixels(drawn):
    planned = {case.id: case for case in plan_cohort(4, 5, SMALL)}
    for row in rows_of(drawn):
        case = planned[row["case_id"]]
        with openslide.OpenSlide(drawn.parent / row["path"]) as slide:
            assert slide.level_count >= 2
            assert slide.level_downsamples[1] == pytest.approx(4, rel=0.01)
            assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(case.spacing_um)
            assert int(slide.properties["openslide.level[0].tile-width"]) == case.tile_px
            x, y = slide.dimensions[0] // 2 - 100, slide.dimensions[1] // 2 - 100
            read = np.asarray(slide.read_region((x, y), 0, (200, 200)).convert("RGB"), float)
    pixels = draw_slide(case, 5).pixels[y : y + 200, x : x + 200].astype(float)
    assert np.abs(read - pixels).mean() < 6  # what JPEG costs


def test_a_mask_covers_the_slide_and_is_white_where_nests_are_drawn(drawn):
    case = next(case for case in plan_cohort(4, 5, SMALL) if case.nests)
    slide = draw_slide(case, 5)
    written = cv2.imread(str(drawn.parent / f"masks/{case.id}.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(written, slide.mask)
    assert set(np.unique(written)) == {0, 255}
    height, width = slide.pixels.shape[:2]
    assert written.shape == (-(-height // MASK_STEP), -(-width // MASK_STEP))
    nests = [lesion for lesion in slide.lesions if lesion.pattern is NEST]
    assert 1 <= len(nests) <= case.nests
    inside = np.zeros_like(written)
    for row, column in np.ndindex(written.shape):
        centre = ((column + 0.5) * MASK_STEP, (row + 0.5) * MASK_STEP)
        lines = [nest.line.astype(np.float32) for nest in nests]
        inside[row, column] = any(cv2.pointPolygonTest(o, centre, False) > 0 for o in lines)
    both = ((written > 0) & (inside > 0)).sum() / ((written > 0) | (inside > 0)).sum()
    assert both > 0.85


def test_a_negative_slide_has_an_empty_mask_and_lookalikes():
    case = next(case for case in plan_cohort(4, 5, SMALL) if not case.nests)
    slide = draw_slide(case, 5)
    assert not slide.mask.any()
    assert slide.lesions


@pytest.mark.parametrize("cases", [2, 7, 24, 48])
def test_plans_are_balanced_by_label_and_patient(cases):
    planned = plan_cohort(cases, 1, (2250.0, 1600.0))
    labels = [case.label for case in planned]
    assert labels.count("mutated") == cases // 2
    assert [case.id for case in planned] == sorted({case.id for case in planned})
    assert all(3 <= case.nests <= 8 for case in planned if case.label == "mutated")
    held = {}
    for case in planned:
        held.setdefault(case.patient, []).append(case)
    assert all(len({(c.label, c.site) for c in cases}) == 1 for cases in held.values())
    if cases >= 24:
        assert 2 <= sum(len(cases) > 1 for cases in held.values()) <= cases // 4
        by_site = {s.name: [c.label for c in planned if c.site == s.name] for s in SITES}
        for of_site in by_site.values():
            assert abs(of_site.count("mutated") - len(of_site) / 2) <= 2


def test_impossible_cohorts_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="at least 2"):
        draw_slides(tmp_path, cases=1, seed=0)
    with pytest.raises(RecipeError, match="too small"):
        draw_slides(tmp_path, cases=2, seed=0, size_um=(300.0, 300.0))
    assert not list(tmp_path.iterdir())
