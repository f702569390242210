"""Runs of models that see pixels: maps within an image, and cases that are one small patch."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from wholecase.core.files import write_json
from wholecase.report import write_report
from wholecase.report.case_rows import case_rows
from wholecase.report.pictures import ERRORS, QUALITIES, Map, case_bytes, inlined
from wholecase.report.read import read_run
from wholecase.report.records import CasePictures
from wholecase.report.terms import TERMS
from wholecase.runs import RunFolder, read_rows, write_rows


class Images(HTMLParser):
    """Alternative text of each picture -> its bytes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "img":
            content = base64.b64decode(told["src"].partition("base64,")[2], validate=True)
            self.found.append((told["alt"], content))


@pytest.fixture(scope="module")
def patches(tmp_path_factory, make_run, wish) -> RunFolder:
    folder = make_run(
        tmp_path_factory.mktemp("runs") / "patches",
        wish(cases=16, folds=1, pictures=False, opinions=False),
    )
    return _patches(folder)


def _patches(folder: RunFolder, side: int = 384) -> RunFolder:
    """Make every case one patch of 96 px with two maps."""
    rng = np.random.default_rng(1)
    (folder.root / "pictures").mkdir()
    names = {"thumbnail": 96, "grad-cam": side, "attention": side}
    for name, px in names.items():
        pixels = rng.integers(0, 256, (px, px, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder.root / f"pictures/{name}.jpg", quality=88)
    maps = {k: f"pictures/{k}.jpg" for k in ("attention", "grad-cam")}
    entry = {"thumbnail": "pictures/thumbnail.jpg", "maps": maps, "tiles": [], "least": []}
    rows = read_rows(folder.predictions)
    write_json(folder.pictures, {row["case_id"]: entry for row in rows})
    metrics = json.loads(folder.metrics.read_text())
    del metrics["pooled"]["localisation_auc"]
    write_json(folder.metrics, metrics)
    used = [{**row, "images": 1, "instances": 1} for row in read_rows(folder.cases)]
    write_rows(folder.cases, list(used[0]), used)
    return folder


def text_of(folder: RunFolder) -> str:
    return write_report(folder.root).read_text(encoding="utf-8")


def case_page(text: str, case: str) -> str:
    start = text.index(f'id="case-{case}"')
    return text[start : text.index("</article>", start)]


def test_a_patch_is_shown_with_its_maps_each_named_and_explained(patches):
    page = case_page(text_of(patches), "case-001")
    alts = re.findall(r'alt="(.*?)"', page)
    assert alts == [
        "image of case-001",
        "Grad-CAM of case-001",
        "Attention map of case-001",
    ]
    words = re.sub(r"<[^>]*>", "", page)
    assert "Grad-CAM: what speaks for mutated" in words
    assert "Attention map: what was weighed" in words
    assert "scaled to its own maximum" in words
    for name in ("Grad-CAM", "Attention map"):
        assert f">{name}</button>" in page
    assert "Selvaraju et al. 2017" in TERMS["Grad-CAM"]


def test_nothing_is_said_of_regions_tiles_or_heatmaps_where_there_are_none(patches):
    text = text_of(patches)
    body = text[text.index("<main ") : text.index('<section id="words"')]
    words = re.sub(r"<[^>]*>", " ", body)
    for word in ("attended", "tile", "heatmap", "region", "What was taken as tissue", "pooled"):
        assert word not in words, word
    assert "1 image" in case_page(text, "case-001")
    head = re.sub(r"<[^>]*>", "", re.search(r"<th>Image.*?</th>", text)[0])
    assert head == "Image, Grad-CAM, Attention map"


def test_wrong_decisions_show_image_and_maps(patches):
    text = text_of(patches)
    section = text[text.index('<section id="errors"') : text.index('<section id="cases"')]
    wrong = [r["case_id"] for r in read_rows(patches.predictions) if r["decision"] != r["label"]]
    assert wrong
    for name in ("image", "Grad-CAM", "Attention map"):
        shown = re.findall(rf'alt="{name} of (.*?)"', section)
        assert sorted(shown) == sorted(wrong)[:ERRORS]
    assert "with what the model looked at" in section


def test_a_small_patch_keeps_its_size_and_hardly_loses(patches):
    told = dict(Images(text_of(patches)).found)
    shown = Image.open(io.BytesIO(told["image of case-001"]))
    assert shown.size == (96, 96)
    with Image.open(patches.root / "pictures/thumbnail.jpg") as first:
        first.save(usual := io.BytesIO(), "JPEG", quality=QUALITIES[0])
        assert _loss(first, shown) < 0.7 * _loss(first, Image.open(usual))


def _loss(first, second) -> float:
    return np.abs(np.asarray(first, float) - np.asarray(second, float)).mean()


def test_maps_that_are_missing_or_elsewhere_leave_a_gap_and_others_keep_their_name(
    tmp_path, make_run, wish
):
    folder = _patches(make_run(tmp_path / "run", wish(cases=12, pictures=False)))
    entries = json.loads(folder.pictures.read_text())
    (folder.root / "pictures/grad-cam.jpg").rename(tmp_path / "outside.jpg")
    entries["case-001"]["maps"] = {
        "grad-cam": "../outside.jpg",
        "attention": "pictures/gone.jpg",
        "<rollout>": "pictures/attention.jpg",
    }
    write_json(folder.pictures, entries)
    row = next(r for r in case_rows(read_run(folder.root)) if r.prediction.case == "case-001")
    assert [m.name for m in row.pictures.maps] == ["<rollout>"]
    assert "&lt;rollout&gt;" in case_page(text_of(folder), "case-001")


@pytest.mark.parametrize("budget", [24_000, 40_000, 160_000])
def test_all_pictures_of_a_case_keep_within_its_share(patches, budget):
    noise = patches.root / "pictures/grad-cam.jpg"
    for pictures in (
        CasePictures(noise, None, (), None, maps=(("attention", noise), ("grad-cam", noise))),
        CasePictures(noise, noise, (noise,) * 9, None, (noise,) * 9, (("grad-cam", noise),)),
        CasePictures(noise, None, (), None),
    ):
        shown = inlined(pictures, [noise] * 2, budget)
        uris = [shown.thumbnail, shown.heatmap, *shown.tiles, *shown.least, *shown.tissue]
        uris += [one.picture for one in shown.maps]
        sizes = [len(base64.b64decode(uri.partition(",")[2])) for uri in uris if uri]
        assert sum(sizes) <= budget + 20  # a share is rounded
        assert len(sizes) == 1 + bool(shown.heatmap) + len(shown.maps) + 2 + (
            8 if pictures.tiles else 0
        )


def test_maps_stand_in_the_order_of_the_page(patches):
    noise = patches.root / "pictures/thumbnail.jpg"
    maps = tuple((name, noise) for name in ("other", "attention", "grad-cam"))
    shown = inlined(CasePictures(None, None, (), None, maps=maps), (), 90_000)
    assert [one.name for one in shown.maps] == ["Grad-CAM", "Attention map", "other"]
    assert all(isinstance(one, Map) and one.picture.startswith("data:") for one in shown.maps)


def test_the_sheet_of_examples_is_taken_in_where_the_run_drew_one(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False, opinions=False))
    metrics = json.loads(folder.metrics.read_text())
    del metrics["pooled"]["localisation_auc"]
    write_json(folder.metrics, metrics)
    assert 'id="evidence"' not in text_of(folder)
    sheet = folder.figure("gradcam_examples.png")
    sheet.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 180, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(sheet)
    text = text_of(folder)
    (found,) = [content for alt, content in Images(text).found if "both classes" in alt]
    assert Image.open(io.BytesIO(found)).size == (180, 90)
    assert "their probability of mutated" in " ".join(text.split())
    assert '<a href="#evidence">' in text
    sheet.write_bytes(b"no picture")
    assert 'id="evidence"' not in text_of(folder)


@pytest.mark.slow
def test_two_hundred_patches_with_maps_can_still_be_sent(tmp_path, make_run, wish):
    folder = _patches(make_run(tmp_path / "run", wish(cases=205, pictures=False)), side=256)
    sheet = folder.figure("gradcam_examples.png")
    sheet.parent.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (450, 900, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(sheet)
    found = Images(text_of(folder)).found
    assert sum(alt.startswith("Grad-CAM of") for alt, _ in found) == 200 + ERRORS
    assert sum(alt.startswith("Attention map of") for alt, _ in found) == 200 + ERRORS
    most = max(len(c) for alt, c in found if " of case" in alt)
    assert most <= case_bytes(200)
    assert folder.report.stat().st_size < 15e6
