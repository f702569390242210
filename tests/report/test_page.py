"""The page: one file that holds everything, says what the run says, and reads anywhere."""

import base64
import csv
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from wholecase.core.errors import RunError
from wholecase.report import write_report
from wholecase.runs import RunFolder, read_rows, write_rows

VOID = {"meta", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """Elements with attributes, in order; complains where tags do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(folder: RunFolder) -> Page:
    return Page(write_report(folder.root).read_text(encoding="utf-8"))


def cases_in_order(text: str) -> list[str]:
    found = re.findall(r'class="who"><a href="#[^"]*"><strong>(.*?)</strong>', text)
    return [unescape(name) for name in found]


@pytest.fixture(scope="module")
def texts(binary, three) -> dict[str, str]:
    pages = {"binary": binary, "three": three}
    return {k: write_report(run.root).read_text(encoding="utf-8") for k, run in pages.items()}


@pytest.mark.parametrize("name", ["binary", "three"])
def test_the_page_is_well_formed_and_needs_nothing_from_outside(name, texts):
    text = texts[name]
    page = Page(text)
    assert page.elements[0][0] == "html"
    assert not page.all("link")
    for _, attributes in page.elements:
        for where in ("src", "href", "srcset", "poster", "data"):
            value = attributes.get(where)
            assert value is None or value.startswith(("data:image/jpeg;base64,", "#"))
    assert "@import" not in text
    assert "url(" not in text
    assert "fetch(" not in text
    # the only address is the name space of the drawings, if that
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_writing_twice_gives_the_same_bytes_and_leaves_nothing_else(binary, texts):
    assert write_report(binary.root).read_text(encoding="utf-8") == texts["binary"]
    assert not list(binary.root.glob("*.part*"))


@pytest.mark.parametrize("name", ["binary", "three"])
def test_all_cases_are_there_worst_errors_first(name, texts, request):
    folder = request.getfixturevalue(name)
    rows = read_rows(folder.predictions)

    def truth(row):
        return float(row[f"probability_{row['label']}"])

    wrong = sorted((r for r in rows if r["decision"] != r["label"]), key=truth)
    right = sorted((r for r in rows if r["decision"] == r["label"]), key=truth)
    assert wrong
    assert right
    text = texts[name]
    assert cases_in_order(text) == [row["case_id"] for row in wrong + right]
    assert text.count('<tr class="is-wrong" ') == len(wrong)


def test_numbers_are_those_of_the_metrics_file(binary, texts):
    text = texts["binary"]
    pooled = json.loads(binary.metrics.read_text())["pooled"]
    values = re.findall(r'class="value">(.*?)<', text)
    ends = re.findall(r'class="interval">.*?</button> (.*?)<', text)
    shown = sorted(zip(values, ends, strict=True))
    told = [
        (f"{m['value']:.2f}", f"{m['low']:.2f}–{m['high']:.2f}")
        for m in pooled.values()
        if m["value"] is not None
    ]
    assert shown == sorted(told)
    assert f"AUROC of {pooled['auroc']['value']:.2f} (95 % interval" in text
    for note in json.loads(binary.metrics.read_text())["notes"]:
        assert note in Page(text).text


def test_counts_of_the_flow_are_those_of_the_tables(texts):
    said = Page(texts["binary"]).text
    assert re.search(r"In the manifest\s*44 cases\s*1 without a usable label", said)
    assert re.search(r"In the cohort\s*43 cases", said)
    assert "40 cases" in said
    assert "All 5 exclusions" in said
    assert re.search(r"No tissue found\s*The file holds no tissue\s*2\s*2", said)


def test_text_of_the_data_never_becomes_markup(tmp_path, make_run, wish):
    nasty = "<b>{}</b>&\"'</script>"
    folder = make_run(tmp_path / "run", wish(ids=nasty, cases=20, classes=("<i>no", "ye's>")))
    page = page_of(folder)
    assert not page.all("b") or all("style" in a for a in page.all("b"))  # threshold marks only
    assert not [a for a in page.all("i") if not a.get("class") and "width" not in a["style"]]
    assert len(page.all("script")) == 1
    text = folder.report.read_text(encoding="utf-8")
    assert set(cases_in_order(text)) == {nasty.format(i) for i in range(20)}


@pytest.mark.slow
def test_two_hundred_cases_are_shown_and_the_page_can_still_be_sent(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=205, pictures=False))
    noise = folder.root / "pictures" / "noise.bmp"
    _noise(noise)
    entry = {"thumbnail": "pictures/noise.bmp", "heatmap": "pictures/noise.bmp"}
    entry |= {k: ["pictures/noise.bmp"] * 4 for k in ("tiles", "least")}
    pictures = {row["case_id"]: entry for row in read_rows(folder.predictions)}
    folder.pictures.write_text(json.dumps(pictures))
    slides = [{"case": case, "picture": "pictures/noise.bmp", "instances": 9} for case in pictures]
    folder.tissue.write_text(json.dumps(slides))
    page = page_of(folder)
    assert sum(a["alt"].startswith("image of") for a in page.all("img")) == 200
    assert sum(a["alt"].startswith("heatmap of") for a in page.all("img")) == 200
    assert sum(a["alt"].startswith("least attended") for a in page.all("img")) == 800
    assert re.search(r"5 more in\s*predictions\.csv", page.text)
    assert folder.report.stat().st_size < 15e6


def _noise(path):
    import numpy as np
    from PIL import Image

    path.parent.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (240, 240, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)  # noise is what JPEG can compress least


def test_pictures_are_small_jpegs(texts):
    for picture in Page(texts["binary"]).all("img"):
        content = base64.b64decode(picture["src"].partition(",")[2], validate=True)
        assert content[:2] == b"\xff\xd8"
        assert len(content) < 100_000


def test_pictures_that_are_missing_damaged_or_elsewhere_leave_a_gap(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=20, seed=5))
    entries = json.loads(folder.pictures.read_text())
    ids = sorted(entries)
    (folder.root / entries[ids[0]]["thumbnail"]).unlink()
    (folder.root / entries[ids[1]]["heatmap"]).write_bytes(b"no picture")
    outside = tmp_path / "outside.jpg"
    (folder.root / entries[ids[2]]["thumbnail"]).replace(outside)
    entries[ids[2]]["thumbnail"] = "../outside.jpg"
    del entries[ids[3]]
    folder.pictures.write_text(json.dumps(entries))
    alts = {a["alt"] for a in page_of(folder).all("img")}
    assert not {f"image of {ids[0]}", f"heatmap of {ids[1]}", f"image of {ids[2]}"} & alts
    assert {f"heatmap of {ids[0]}", f"image of {ids[1]}", f"image of {ids[4]}"} <= alts
    assert not {f"image of {ids[3]}", f"heatmap of {ids[3]}"} & alts


def test_a_run_with_one_class_and_undefined_metrics_is_reported(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=20, pictures=False))
    rows = [row for row in read_rows(folder.predictions) if row["label"] == "mutated"]
    write_rows(folder.predictions, list(rows[0]), rows)
    undefined = {"value": None, "low": None, "high": None, "n": len(rows)}
    metrics = {"pooled": {"auroc": undefined, "brier": undefined}, "folds": [], "notes": []}
    folder.metrics.write_text(json.dumps(metrics))
    page = page_of(folder)
    assert "AUROC is undefined" in page.text
    assert "Confusion matrix" in page.text
    assert "ROC curve" not in page.text
    assert "None" not in page.text
    assert not re.search(r"\bnan\b", page.text)


def test_a_run_that_kept_little_is_still_reported(tmp_path):
    folder = RunFolder(tmp_path)
    folder.facts.write_text('{"schema": 1, "classes": ["no", "yes"], "recipe": "quick"}')
    page = page_of(folder)
    assert "No case was judged" in page.text
    assert "Nothing was left out." in page.text


def test_no_finished_run_is_an_error_that_says_so(tmp_path):
    with pytest.raises(RunError, match=r"no run\.json; start it again"):
        write_report(tmp_path)


def test_a_foreign_predictions_file_is_an_error_that_names_the_column(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=10, pictures=False))
    with folder.predictions.open("w", newline="") as file:
        csv.writer(file).writerows([["case_id", "patient_id"], ["a", "b"]])
    with pytest.raises(RunError, match="no column 'probability_wild-type'"):
        write_report(folder.root)


def test_paths_of_the_machine_stay_at_home(binary, texts):
    text = texts["binary"]
    assert "cohort.csv" in text
    assert "slides/x1.svs" in text
    assert "/home/somebody" not in text
    assert str(binary.root.parent) not in text
