"""The map of an embedding: the plane of the training cases, and the test cases in it."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np

from wholecase.answer import load_run
from wholecase.core.files import read_json
from wholecase.experiment import Summary
from wholecase.report.figures import embedding_figure
from wholecase.report.figures.embedding import kind_of
from wholecase.report.read import read_run
from wholecase.runs import RunFolder, read_rows


def test_it_is_the_plane_in_which_the_remembered_cases_vary_most(neighbours: RunFolder) -> None:
    table = read_json(neighbours.embedding)
    sides = {r["case_id"]: r["side"] for r in read_rows(neighbours.splits) if r["fold"] == "0"}
    shown = {one["case_id"]: one for one in table["cases"]}
    assert {case: one["side"] for case, one in shown.items()} == {
        case: side for case, side in sides.items() if side != "valid"
    }
    memory = load_run(neighbours.root, "cpu").members[0].model.head.memory.double().numpy()
    centred = memory - memory.mean(0)
    _, strengths, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(
        table["explained"], (strengths**2 / (strengths**2).sum())[:2], atol=1e-6
    )
    places = np.array([(one["x"], one["y"]) for one in shown.values() if one["side"] == "train"])
    np.testing.assert_allclose(np.abs(places), np.abs(centred @ axes[:2].T), atol=1e-4)


def test_each_case_has_the_mark_of_its_class_and_a_ring_where_it_was_missed(
    neighbours: RunFolder,
) -> None:
    run = read_run(neighbours.root)
    figure = embedding_figure(run)
    assert figure is not None
    assert run.embedding is not None
    tested = {one.case for one in run.embedding.cases if one.is_test}
    missed = {one.case for one in run.predictions if one.is_wrong} & tested
    marks = [e.get("class", "") for e in ET.fromstring(figure.svg).iter() if e.get("class")]
    assert marks.count("missed") == len(missed)
    for number, name in enumerate(run.classes):
        own = [one for one in run.embedding.cases if one.label == name]
        colour = kind_of(number).split()[1]
        assert marks.count(colour) == sum(one.is_test for one in own)
        assert marks.count(f"{colour} faint") == sum(not one.is_test for one in own)
    assert f"a ring marks the {len(missed)} decided wrongly" in figure.caption
    assert "<h3>Embedding map</h3>" in neighbours.report.read_text()
    several = embedding_figure(replace(run, classes=(*run.classes, "third")))
    assert several is not None
    assert ("point triangle fill-2", "third") in several.keys


def test_a_run_that_compares_nothing_has_no_map(finished: Summary) -> None:
    assert not finished.run.embedding.exists()
    assert embedding_figure(read_run(finished.run.root)) is None
