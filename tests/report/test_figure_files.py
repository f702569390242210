"""Figures as files of their own: they open alone, look the same everywhere, and say the numbers."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from wholecase.report import write_report
from wholecase.report.figure_files import write_figures
from wholecase.report.figures import Sheet, judged
from wholecase.report.figures.standalone import MARKS
from wholecase.report.figures.style import light_style
from wholecase.report.read import read_run
from wholecase.runs import RunFolder, read_rows

SVG = "{http://www.w3.org/2000/svg}"
ALL = {"training_curves", "confusion_matrix", "roc", "precision_recall", "reliability"}


@pytest.fixture(scope="module")
def drawn(binary, three) -> dict[str, dict[str, str]]:
    return {
        name: {p.stem: p.read_text(encoding="utf-8") for p in write_figures(read_run(folder.root))}
        for name, folder in (("binary", binary), ("three", three))
    }


def words(svg: str) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ["binary", "three"])
def test_each_is_a_whole_file_that_needs_nothing_else(name, drawn):
    assert set(drawn[name]) == ALL
    for svg in drawn[name].values():
        root = ET.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        _, _, width, height = map(float, root.get("viewBox").split())
        assert float(root.get("width")) / float(root.get("height")) == pytest.approx(
            width / height, rel=0.01
        )
        assert root.find(f"{SVG}title").text
        for outside in ("var(", "url(", "@import", "@media", "href", "nan"):
            assert outside not in svg


@pytest.mark.parametrize("name", ["binary", "three"])
def test_every_class_has_a_rule_and_the_ground_is_white(name, drawn):
    for svg in drawn[name].values():
        root = ET.fromstring(svg)
        style = root.find(f"{SVG}style").text
        told = set(re.findall(r"\.([a-z][\w-]*)", style))
        used = {kind for e in root.iter() for kind in e.get("class", "").split()} - {"figure"}
        # a place and a role that another class of the same element paints
        assert used - told <= {"right", "wrong", "valid", "case"}
        assert re.search(r"svg \.paper \{ fill: #ffffff; \}", style)
        ground = root.find(f"{SVG}rect")
        assert ground.get("class") == "paper"
        assert [0, 0, float(ground.get("width")), float(ground.get("height"))] == [
            float(v) for v in root.get("viewBox").split()
        ]


def test_every_drawn_mark_has_a_colour(drawn):
    painted = re.findall(r"svg ([^{]*)\{([^}]*)\}", light_style())
    for svg in drawn["binary"].values():
        for element in ET.fromstring(svg).iter():
            tag = element.tag.removeprefix(SVG)
            if tag not in {"line", "polyline", "polygon", "circle", "rect"}:
                continue
            own = set(element.get("class", "").split())
            rules = [body for name, body in painted if _applies(name.strip(), tag, own)]
            assert any(re.search(r"(fill|stroke): #", body) for body in rules), (tag, own)


def _applies(selector: str, tag: str, own: set[str]) -> bool:
    name, *kinds = selector.split(".")
    return name in {"", tag} and set(kinds) <= own


def test_the_files_say_the_numbers_of_the_run(binary, drawn):
    rows = read_rows(binary.predictions)
    counts = [
        sum(r["label"] == truth and r["decision"] == said for r in rows)
        for truth in ("wild-type", "mutated")
        for said in ("wild-type", "mutated")
    ]
    shown = [int(word) for word in words(drawn["binary"]["confusion_matrix"]) if word.isdigit()]
    assert shown == counts
    pooled = json.loads(binary.metrics.read_text())["pooled"]
    for name, metric in (("roc", "auroc"), ("precision_recall", "auprc")):
        title = words(drawn["binary"][name])[0]
        assert f"{metric.upper()} {pooled[metric]['value']:.2f}, 95 % interval" in title
    folds = words(drawn["binary"]["training_curves"])
    assert [f"Fold {n}" for n in range(5)] == [w for w in folds if w.startswith("Fold")]
    assert drawn["binary"]["training_curves"].count("was kept, validation loss") == 5


def test_the_same_run_gives_the_same_bytes_and_the_report_remakes_them(tmp_path, make_run, wish):
    folder, twin = (make_run(tmp_path / n, wish(cases=20, pictures=False)) for n in ("a", "b"))
    for run in (folder, twin):
        write_report(run.root)
    files = {path.name: path.read_bytes() for path in folder.figure("x").parent.iterdir()}
    assert set(files) == {f"{name}.svg" for name in ALL}
    assert files == {path.name: path.read_bytes() for path in twin.figure("x").parent.iterdir()}
    folder.figure("roc.svg").unlink()
    folder.figure("confusion_matrix.svg").write_text("old")
    write_report(folder.root)
    assert files == {path.name: path.read_bytes() for path in folder.figure("x").parent.iterdir()}


def test_what_a_run_cannot_show_is_not_written(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False))
    for number in range(5):
        folder.fold(number).history.unlink()
    names = {path.stem for path in write_figures(read_run(folder.root))}
    assert names == ALL - {"training_curves"}
    bare = RunFolder(tmp_path / "bare")
    bare.root.mkdir()
    bare.facts.write_text('{"schema": 1, "classes": ["no", "yes"]}')
    assert judged(read_run(bare.root)).cases == ()
    assert write_figures(read_run(bare.root)) == []


def test_names_of_the_data_never_become_markup(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False, classes=("<b>&", "ye's\"")))
    for path in write_figures(read_run(folder.root)):
        assert not list(ET.parse(path).iter("b"))
        assert "<b>" not in path.read_text(encoding="utf-8")


def test_the_only_fold_is_drawn_large_and_not_named(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False, folds=1, opinions=False))
    paths = {path.stem: path for path in write_figures(read_run(folder.root))}
    told = words(paths["training_curves"].read_text(encoding="utf-8"))
    assert "Loss" in told
    assert not [word for word in told if word.startswith("Fold")]


def test_panels_stand_in_rows_within_the_file():
    panel = '<svg viewBox="0 0 100 50"><text>x</text></svg>'
    sheet = Sheet("t", [(f"n{i}", panel) for i in range(7)], tuple((k, k) for k in MARKS))
    root = ET.fromstring(sheet.markup())
    _, _, width, height = map(float, root.get("viewBox").split())
    places = [
        tuple(map(float, re.findall(r"[\d.]+", g.get("transform")))) for g in root.iter(f"{SVG}g")
    ]
    assert len(set(places)) == 7
    assert len({y for _, y in places}) == 2
    assert max(x for x, _ in places) + 100 <= width
    assert max(y for _, y in places) + 50 <= height
    assert max(float(e.get("x", 0)) for e in root.iter(f"{SVG}text")) < width
