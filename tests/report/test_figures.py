"""The figures draw what the predictions say."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from wholecase.evaluation import confusion, precision_recall
from wholecase.report.figures import (
    apart_curves,
    compared_curves,
    deciding_figures,
    evidence_figures,
    judged,
    learning_curves,
    quality_figures,
)
from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.confusion import draw_confusion
from wholecase.report.figures.distribution import BROAD, NARROW, draw_distribution
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.precision_recall import steps
from wholecase.report.figures.roc import operating_point
from wholecase.report.read import read_run
from wholecase.report.records import Deletion, Measured


def texts(svg: str) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter("text")]


def kinds(svg: str, kind: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(svg).iter() if kind in e.get("class", "").split()]


def some(n: int, classes: int = 2, seed: int = 0) -> Judged:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), n)
    return Judged(
        classes=tuple("abcdefgh"[:classes]),
        cases=tuple(str(i) for i in range(n)),
        patients=tuple(str(i) for i in range(n)),
        truth=rng.integers(0, classes, n),
        probabilities=probabilities,
        decision=probabilities.argmax(axis=1),
        fold=rng.integers(0, 3, n),
    )


@pytest.mark.parametrize(("name", "several"), [("binary", (4, 3)), ("three", (4, 1))])
def test_every_figure_is_well_formed_and_named(name, several, request):
    run = read_run(request.getfixturevalue(name).root)
    run = replace(run, faithfulness=Deletion((0.0, 0.5), (0.9, 0.4), (0.9, 0.8), Measured(0.2), 9))
    cases = judged(run)
    groups = [quality_figures(run, cases, {}), deciding_figures(run, cases), evidence_figures(run)]
    assert tuple(len(group) for group in groups) == (*several, 1)
    for figure in (figure for group in groups for figure in group):
        for svg in filter(None, (figure.svg, figure.narrow, figure.beside)):
            root = ET.fromstring(svg)
            assert root.get("aria-label")
            assert "nan" not in svg
        assert figure.caption.endswith(".")


@pytest.mark.parametrize("layout", [BROAD, NARROW])
def test_each_case_is_one_dot_and_wrong_ones_are_open(binary, layout):
    run = read_run(binary.root)
    cases = judged(run)
    svg = draw_distribution(cases, [0.5], layout, {})
    assert len(kinds(svg, "case")) == len(run.predictions)
    assert len(kinds(svg, "wrong")) == sum(p.is_wrong for p in run.predictions)
    told = {e.find("title").text.split(":")[0] for e in kinds(svg, "case")}
    assert told == {p.case for p in run.predictions}


@pytest.mark.parametrize("n", [30, 400, 3000])
def test_dots_and_bars_stay_within_the_figure(n):
    root = ET.fromstring(draw_distribution(some(n, 3), [], BROAD, {}))
    _, _, width, height = map(float, root.get("viewBox").split())
    for dot in root.iter("circle"):
        assert 0 <= float(dot.get("cx")) <= width
        assert float(dot.get("cy")) - float(dot.get("r")) >= 0
        assert float(dot.get("cy")) <= height
    for bar in root.iter("rect"):
        assert 0 <= float(bar.get("y")) <= float(bar.get("y")) + float(bar.get("height")) <= height


def test_many_cases_are_counted_by_bars_whose_heights_are_true():
    cases = some(3000, 3)
    bars = ET.fromstring(draw_distribution(cases, [], BROAD, {})).iter("rect")
    heights = {"right": 0.0, "wrong": 0.0}
    for bar in bars:
        heights[bar.get("class").split()[1]] += float(bar.get("height"))
    wrong = (cases.decision != cases.truth).mean()
    assert heights["wrong"] / sum(heights.values()) == pytest.approx(wrong, abs=0.01)


def test_a_dot_leads_to_the_page_of_its_case():
    cases = some(20)
    svg = draw_distribution(cases, [], BROAD, {"3": "#case-3", "7": "#case-7"})
    links = list(ET.fromstring(svg).iter("a"))
    assert sorted(a.get("href") for a in links) == ["#case-3", "#case-7"]
    for a in links:
        assert a.find("circle/title").text.startswith(a.get("href").removeprefix("#case-") + ":")


def test_the_confusion_matrix_shows_the_counts():
    cases = some(90, 3)
    shown = [int(t) for t in texts(draw_confusion(cases)) if t.isdigit()]
    assert shown == confusion(cases.truth, cases.decision, 3).ravel().tolist()


def test_the_staircase_holds_the_average_precision():
    cases = some(60)
    truth, score = cases.against_rest(1)
    points = np.array(steps(precision_recall(truth, score)))
    area = np.trapezoid(points[:, 1], points[:, 0])
    order = np.argsort(-score)
    hits = truth[order] == 1
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    assert area == pytest.approx(precision[hits].mean())


def test_the_operating_point_is_that_of_the_decisions():
    cases = some(50)
    pairs = list(zip(cases.truth.tolist(), cases.decision.tolist(), strict=True))
    sensitivity = pairs.count((1, 1)) / (pairs.count((1, 1)) + pairs.count((1, 0)))
    alarms = pairs.count((0, 1)) / (pairs.count((0, 1)) + pairs.count((0, 0)))
    assert operating_point(cases) == pytest.approx((alarms, sensitivity))


def test_learning_curves_mark_the_kept_epoch(binary):
    run = read_run(binary.root)
    curves = learning_curves(run)
    assert [number for number, _ in curves] == [0, 1, 2, 3, 4]
    for (_, svg), fold in zip(curves, run.folds, strict=True):
        (kept,) = kinds(svg, "kept")
        assert kept.find("title").text.startswith(f"epoch {fold.choices['epoch']} was kept")


def test_mean_probabilities_are_drawn_of_two_classes_alone(binary, three):
    run = read_run(binary.root)
    curves = apart_curves(run)
    assert [number for number, _ in curves] == [0, 1, 2, 3, 4]
    for (_, svg), fold in zip(curves, run.folds, strict=True):
        above, below = kinds(svg, "valid")[0], kinds(svg, "train")[0]
        assert len(above.get("points").split()) == len(fold.epochs)
        first, last = (float(below.get("points").split()[n].split(",")[1]) for n in (0, -1))
        assert last > first, "the mean of negatives falls"
        (kept,) = kinds(svg, "kept")
        best = fold.choices["epoch"] - 1
        assert kept.find("title").text.endswith(f"separation {best / 50:.3f}")
    assert apart_curves(read_run(three.root)) == []


def test_how_comparing_went_is_drawn_where_the_history_tells_it(binary):
    run = read_run(binary.root)
    assert compared_curves(run) == []
    told = {"active_triplets": 0.5, "embedding_distance": 1.2}
    folds = tuple(
        replace(fold, epochs=tuple(replace(e, figures=told) for e in fold.epochs))
        for fold in run.folds
    )
    for _, svg in compared_curves(replace(run, folds=folds)):
        apart, active = kinds(svg, "valid")[0], kinds(svg, "train")[0]
        heights = [{p.split(",")[1] for p in one.get("points").split()} for one in (apart, active)]
        assert float(heights[0].pop()) < float(heights[1].pop()), "0.6 of the possible lies higher"
        (kept,) = kinds(svg, "kept")
        assert kept.find("title").text.endswith("mean distance 1.200")


def test_the_corners_of_the_plot_are_where_the_axes_end():
    axes = Axes(
        Axis("x", 0, 10, ()), Axis("y", -1, 1, ()), title="t", frame=Frame(100, 80, 9, 7, 5, 3)
    )
    assert axes.at(0, -1) == (9, 77)
    assert axes.at(10, 1) == (93, 5)
