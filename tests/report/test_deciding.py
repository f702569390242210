"""From probability to decision: calibration, thresholds and net benefit as they are drawn."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.evaluation import THRESHOLDS, DecisionCurve, apply_temperature
from wholecase.report.figures import deciding_figures, judged, rule_of
from wholecase.report.figures.decision import draw_decision, where_it_helps
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.reliability import honesty
from wholecase.report.figures.threshold import RULES, draw_rule, draw_sides, inner_of
from wholecase.report.read import read_run
from wholecase.report.records import FoldRecord, InnerCase


def kinds(svg: str, kind: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(svg).iter() if kind in e.get("class", "").split()]


def some(raw, truth, fold) -> Judged:
    n, c = raw.shape
    names = tuple(str(i) for i in range(n))
    return Judged(tuple("abcd"[:c]), names, names, truth, raw, raw.argmax(1), fold)


@given(seed=st.integers(0, 10**6), classes=st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_the_time_before_calibration_is_found_again(seed, classes):
    rng = np.random.default_rng(seed)
    raw, fold = rng.dirichlet(np.ones(classes), 24), rng.integers(3, size=24)
    chosen = {
        0: (0.6, tuple(rng.normal(size=classes).tolist())),
        1: (3.0, ()),
    }  # fold 2 scaled nothing
    scaled = raw.copy()
    for i, f in enumerate(fold.tolist()):
        scaled[i : i + 1] = apply_temperature(raw[i : i + 1], *chosen.get(f, (1.0,)))
    cases = some(scaled, rng.integers(classes, size=24), fold)
    assert cases.uncalibrated(chosen).probabilities == pytest.approx(raw)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_numbers_beside_the_figure_are_those_of_a_loop(classes):
    rng = np.random.default_rng(1)
    after = some(
        rng.dirichlet(np.ones(classes), 60), rng.integers(classes, size=60), np.zeros(60, int)
    )
    before = replace(after, probabilities=apply_temperature(after.probabilities, 0.5))
    table = honesty(after, before)
    assert [row[0] for row in table.rows] == ["before", "after"]
    for row, cases in zip(table.rows, (before, after), strict=True):
        bins, brier = {}, 0.0
        for y, p, d in zip(cases.truth, cases.probabilities, cases.decision, strict=True):
            was = y == 1 if classes == 2 else y == d
            said = p[1] if classes == 2 else p[d]
            bins.setdefault(int(said * 5), []).append((was, said))
            miss = [(p[k] - (k == y)) ** 2 for k in range(classes)]
            brier += miss[1] if classes == 2 else sum(miss)
        gaps = [abs(sum(w - s for w, s in held)) for held in bins.values()]
        assert float(row[1]) == pytest.approx(sum(gaps) / 60, abs=6e-4)
        assert float(row[2]) == pytest.approx(brier / 60, abs=6e-4)
        assert len(row) == (5 if classes == 2 else 3)


def test_a_run_that_scaled_nothing_is_drawn_once(binary):
    run = read_run(binary.root)
    folds = tuple(replace(f, choices={**f.choices, "temperature": 1.0}) for f in run.folds)
    plain = replace(run, folds=folds)
    (figure,) = [f for f in deciding_figures(plain, judged(plain)) if f.term == "Calibration"]
    assert not kinds(figure.svg, "before-bin")
    assert [row[0] for row in figure.table.rows] == ["as said"]
    assert "was not calibrated" in figure.caption
    (figure,) = [f for f in deciding_figures(run, judged(run)) if f.term == "Calibration"]
    assert kinds(figure.svg, "before-bin")
    assert [row[0] for row in figure.table.rows] == ["before", "after"]


def inner_fold(truth, score, rule) -> FoldRecord:
    labels = ("no", "yes")
    told = zip(truth.tolist(), score.tolist(), strict=True)
    cases = tuple(InnerCase(str(i), labels[y], (1 - p, p)) for i, (y, p) in enumerate(told))
    chosen = {"threshold": THRESHOLDS[rule](truth, score), "threshold_rule": rule}
    return FoldRecord(0, {}, {}, choices=chosen, inner=cases)


@given(seed=st.integers(0, 10**6), rule=st.sampled_from(["f1", "youden"]))
@settings(max_examples=40, deadline=None)
def test_the_lines_are_those_of_a_count_and_the_mark_stands_on_the_peak(seed, rule):
    rng = np.random.default_rng(seed)
    truth = np.concatenate(([0, 1], rng.integers(2, size=12)))
    score = rng.integers(1, 12, size=14) / 12
    score[0] = 0.5 / 12  # at least two distinct scores
    (inner,) = inner_of([inner_fold(truth, score, rule)], ("no", "yes"))
    middles = (inner.edges[:-1] + inner.edges[1:]) / 2
    for t, found, cleared in zip(middles, inner.sensitivity, inner.specificity, strict=True):
        assert found == pytest.approx((score[truth == 1] > t).mean())
        assert cleared == pytest.approx((score[truth == 0] <= t).mean())
    assert inner.at_chosen(inner.sensitivity) == (score[truth == 1] > inner.chosen).mean()
    merit = RULES[rule].merit(inner.sensitivity, inner.specificity, inner.share)
    called = score > inner.chosen
    hits, alarms = (called & (truth == 1)).sum(), (called & (truth == 0)).sum()
    naive = {
        "f1": 2 * hits / (called.sum() + truth.sum()),
        "youden": hits / truth.sum() - alarms / (1 - truth).sum(),
    }
    assert inner.at_chosen(merit) == pytest.approx(naive[rule])
    # calling all cases the same is no choice of the rule
    assert inner.at_chosen(merit) == pytest.approx(merit[1:-1].max())


def test_each_fold_has_its_lines_and_its_marks(binary):
    run = read_run(binary.root)
    told = inner_of(run.folds, run.classes)
    assert [inner.fold for inner in told] == [0, 1, 2, 3, 4]
    sides, rule = draw_sides(told), draw_rule(told, RULES["f1"])
    assert (len(kinds(sides, "of-fold")), len(kinds(sides, "kept"))) == (10, 10)
    assert (len(kinds(rule, "of-fold")), len(kinds(rule, "kept"))) == (5, 5)
    assert draw_rule(told, RULES["half"]) == ""
    assert set(RULES) == set(THRESHOLDS), "every rule is told in words"


def test_a_threshold_is_told_with_its_ends_and_its_gain_over_one_half(binary):
    run = read_run(binary.root)
    (plain,) = [f for f in deciding_figures(run, judged(run)) if f.term == "Threshold"]
    assert "Redraws" not in plain.caption
    assert "over one half" not in plain.caption
    kept = {
        "threshold_low": 0.31,
        "threshold_high": 0.62,
        "threshold_score": 0.8,
        "threshold_score_at_half": 0.75,
    }
    folds = tuple(replace(f, choices={**f.choices, **kept}) for f in run.folds)
    (told,) = [f for f in deciding_figures(replace(run, folds=folds), judged(run)) if f.beside]
    assert "Redraws of the inner patients put it at 0.31–0.62." in told.caption
    assert "On them it gains 0.05 in F1 score over one half." in told.caption
    assert len(kinds(told.beside, "whisker")) == len(run.folds)
    assert kinds(plain.beside, "whisker") == []


def test_thresholds_are_drawn_only_where_inner_patients_were_kept(tmp_path, make_run, wish):
    run = read_run(make_run(tmp_path / "run", wish(pictures=False, opinions=False)).root)
    names = [figure.term for figure in deciding_figures(run, judged(run))]
    assert names == ["Calibration", "Decision curve"]


def test_a_rule_that_is_unknown_is_named(binary):
    run = read_run(binary.root)
    assert rule_of(run) is RULES["f1"]
    folds = tuple(replace(f, choices={**f.choices, "threshold_rule": "cost"}) for f in run.folds)
    assert rule_of(replace(run, folds=folds)).words == "“cost”"


def curve_of(model, everybody) -> DecisionCurve:
    thresholds = np.arange(1, 100) / 100
    return DecisionCurve(thresholds, model, model - 0.1, model + 0.1, everybody)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_where_the_model_helps_is_the_longest_stretch(seed):
    rng = np.random.default_rng(seed)
    curve = curve_of(rng.integers(-1, 3, size=99) / 10, rng.integers(-1, 2, size=99) / 10)
    best, start = (0, 0), None
    for i in range(100):
        helps = i < 99 and curve.model[i] > max(curve.everybody[i], 0)
        if helps and start is None:
            start = i
        if not helps and start is not None:
            best, start = max(best, (i - start, -start)), None
    if best == (0, 0):
        assert where_it_helps(curve) is None
    else:
        first = -best[1]
        expected = (curve.thresholds[first], curve.thresholds[first + best[0] - 1])
        assert where_it_helps(curve) == pytest.approx(expected)


def test_the_decision_curve_stays_within_its_figure(binary):
    run = read_run(binary.root)
    (figure,) = [f for f in deciding_figures(run, judged(run)) if f.term == "Decision curve"]
    assert len(kinds(figure.svg, "kept")) == 5
    thresholds = np.arange(1, 100) / 100
    steep = curve_of(0.3 - thresholds, 0.4 - 0.6 * thresholds / (1 - thresholds))
    for svg in (figure.svg, draw_decision(steep, [0.99], "yes")):
        root = ET.fromstring(svg)
        _, _, width, height = map(float, root.get("viewBox").split())
        lines = [e.get("points").split() for e in root.iter() if e.get("points")]
        for x, y in (map(float, point.split(",")) for line in lines for point in line):
            assert 0 <= x <= width
            assert 0 <= y <= height
