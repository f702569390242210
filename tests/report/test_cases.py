"""Each case is a page of its own inside the page: found, linked, complete, and honest."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from wholecase.report import write_report
from wholecase.report.case_rows import SHOWN, case_rows, links, ordered
from wholecase.report.evidence import evidence
from wholecase.report.opinions import strip_of
from wholecase.report.pictures import ERRORS
from wholecase.report.read import read_run
from wholecase.report.records import Exclusion, Measured, Opinion
from wholecase.runs import read_rows


class Elements(HTMLParser):
    """Attributes of all elements, in order."""

    def __init__(self, text):
        super().__init__()
        self.all = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))

    def attribute(self, name, tag=""):
        return [a[name] for t, a in self.all if name in a and tag in {"", t}]


@pytest.fixture(scope="module")
def run(binary):
    return read_run(binary.root)


@pytest.fixture(scope="module")
def text(binary):
    return write_report(binary.root).read_text(encoding="utf-8")


def page_of(text: str, case: str) -> str:
    start = text.index(f'id="case-{quote(case, safe="")}"')
    return text[start : text.index("</article>", start)]


@pytest.mark.parametrize("ids", ["case-{:03d}", "<b>{}</b> &\"'%20/ä #"])
def test_every_address_within_the_page_leads_somewhere_and_only_there(
    ids, tmp_path, make_run, wish
):
    folder = make_run(tmp_path / "run", wish(ids=ids, cases=16, pictures=False))
    found = Elements(write_report(folder.root).read_text(encoding="utf-8"))
    places = found.attribute("id")
    assert len(places) == len(set(places))
    assert {href[1:] for href in found.attribute("href")} <= set(places)
    for row in read_rows(folder.predictions):
        assert f"case-{quote(row['case_id'], safe='')}" in places
        assert f"#case-{quote(row['case_id'], safe='')}" in found.attribute("href", "a")


def test_the_pages_can_be_leafed_through_in_the_order_of_the_table(run, text):
    rows = case_rows(run)
    for before, row, after in zip([None, *rows], rows, [*rows[1:], None], strict=False):
        page = page_of(text, row.prediction.case)
        told = dict(re.findall(r'class="(before|after|close)" href="#(.*?)"', page))
        expected = {"close": f"row-{row.key}"}
        expected |= {"before": f"case-{before.key}"} if before else {}
        expected |= {"after": f"case-{after.key}"} if after else {}
        assert told == expected


def test_a_page_holds_all_that_is_known_of_its_case(run, text):
    row = next(row for row in case_rows(run) if row.prediction.case == "case-001")
    page, used = page_of(text, "case-001"), next(c for c in run.cases if c.id == "case-001")
    fold = run.fold(row.prediction.fold)
    assert page.count("<img") == 2 + 4 + 2  # slide, heatmap, most and least attended
    assert "Most attended regions" in page
    assert "Least attended regions" in page
    assert f"{used.images} image" in page
    assert f"{used.instances:,} regions" in page
    assert f"model of fold {fold.number}, which never saw this patient" in page
    assert f"{fold.threshold:.2f}" in page
    assert used.site in page


def test_images_that_were_left_out_are_told_on_the_page_of_their_case(text):
    page = page_of(text, "case-000")
    assert "Left out of this case" in page
    assert "slides/case-000.svs" in page
    assert "The file has no spacing" in page
    assert "Left out of this case" not in page_of(text, "case-001")


def test_the_verdict_says_why_and_whether_the_label_agrees(run):
    for row in case_rows(run):
        p = row.prediction
        over = p.probabilities[1] > row.threshold
        assert (" exceeds " in row.verdict) == over == (p.decision == "mutated")
        assert ("but the label is" in row.verdict) == p.is_wrong


def test_a_probability_beside_its_threshold_is_told_with_enough_digits(run):
    first = run.predictions[0]
    fold = run.fold(first.fold)
    close = fold.threshold + 0.0003
    near = replace(first, probabilities=(1 - close, close), decision="mutated")
    (row,) = case_rows(replace(run, predictions=(near,)))
    assert f"{close:.4f}" in row.verdict
    assert f"{fold.threshold:.4f}" in row.verdict


def test_the_strip_has_a_dot_per_model_and_the_judge_lies_on_top(run):
    for prediction in run.predictions:
        strip = strip_of(run, prediction)
        assert [dot.kind for dot in strip.dots] == ["seen"] * 4 + ["own"]
        assert strip.dots[-1].at == pytest.approx(prediction.probabilities[1])
        assert f"fold {prediction.fold}" in strip.dots[-1].tip
        low, high = min(d.at for d in strip.dots), max(d.at for d in strip.dots)
        assert strip.spread == f"{low:.2f}–{high:.2f}"
        assert "with 4 other models" in strip.agreement


def test_a_model_that_has_not_seen_the_patient_is_told_apart(run):
    prediction = run.predictions[0]
    others = [n for n in range(5) if n != prediction.fold][:2]
    told = (
        Opinion(others[0], True, (0.4, 0.6), None),
        Opinion(others[1], False, (0.3, 0.7), None),
        Opinion(prediction.fold, False, prediction.probabilities, None),
    )
    strip = strip_of(replace(run, opinions={prediction.case: told}), prediction)
    assert [dot.kind for dot in strip.dots] == ["seen", "new", "own"]
    assert strip.agreement == ""


def test_of_several_classes_the_strip_shows_the_one_that_was_decided(three):
    run = read_run(three.root)
    for prediction in run.predictions:
        strip = strip_of(run, prediction)
        assert strip.of == prediction.decision
        place = run.classes.index(prediction.decision)
        assert strip.dots[-1].at == pytest.approx(prediction.probabilities[place])


def test_a_run_that_asked_no_other_models_says_nothing_of_them(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False, opinions=False))
    run = read_run(folder.root)
    assert all(row.strip is None for row in case_rows(run))
    text = write_report(folder.root).read_text(encoding="utf-8")
    assert 'class="strip"' not in text
    assert "rank correlation of" not in text


def test_the_evidence_is_told_in_numbers_with_their_intervals(run):
    place, steady = evidence(run)
    assert "77 times in 100" in place
    assert "0.66 (95 % interval 0.61–0.71, 35 patients)" in steady
    assert evidence(replace(run, stability=None, pooled={})) == []
    (alone,) = evidence(replace(run, stability=Measured(0.5), pooled={}))
    assert "0.50; 1 is" in alone


def test_the_agreement_of_folds_stands_with_its_explanation(run, text):
    assert "Agreement between folds</button></dt><dd>0.66 (95 % interval 0.61–0.71" in text
    (low,) = evidence(replace(run, stability=Measured(0.14), pooled={}))
    assert "no single heatmap is the reason" in low
    assert "no single heatmap" not in evidence(run)[1]


def errors_of(text: str) -> str:
    return text[text.index('<section id="errors"') : text.index('<section id="cases"')]


def test_the_worst_errors_stand_in_full_before_the_table(run, text):
    section = errors_of(text)
    wrong = [p.case for p in ordered(run) if p.is_wrong]
    assert len(wrong) == 5
    assert re.findall(r'<h3><a href="#case-.*?">(.*?)</a>', section) == wrong
    assert section.count("most attended region") == 4 * len(wrong)
    assert "5 decisions of 40 were wrong. All are shown, with what the model looked at" in section


def test_of_many_errors_the_worst_are_shown(three):
    wrong = [p.case for p in ordered(read_run(three.root)) if p.is_wrong]
    assert len(wrong) > ERRORS
    section = errors_of(write_report(three.root).read_text(encoding="utf-8"))
    assert re.findall(r'<h3><a href="#case-.*?">(.*?)</a>', section) == wrong[:ERRORS]
    assert f"All {len(wrong)} stand first in the table below." in section


def test_a_run_without_errors_says_so(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False))
    run = read_run(folder.root)
    right = tuple(p for p in run.predictions if not p.is_wrong)
    assert case_rows(replace(run, predictions=right))
    rows = [row for row in read_rows(folder.predictions) if row["label"] == row["decision"]]
    folder.predictions.write_text(
        "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"
    )
    assert "No case was decided wrongly." in write_report(folder.root).read_text(encoding="utf-8")


def test_fifty_failures_are_told_by_reason_and_one_by_one(tmp_path, make_run, wish):
    folder = make_run(tmp_path / "run", wish(cases=12, pictures=False))
    columns = ["case_id", "patient_id", "path", "stage", "reason", "costs"]
    lines = [",".join(columns)]
    for i in range(50):
        path = f"/data/a/slide-{i:02d}.svs"
        lines.append(f"lost-{i:02d},P{i:02d},{path},open,{path} ends early,case")
    folder.exclusions.write_text("\n".join(lines) + "\n")
    text = write_report(folder.root).read_text(encoding="utf-8")
    assert re.search(r"<td>The file ends early</td>\s*<td class=\"n\">50</td>", text) or (
        '<td>The file ends early</td><td class="n">50</td>' in text
    )
    assert "All 50 exclusions" in text
    assert len(re.findall(r'class="path">a/slide-\d\d\.svs</td>', text)) == 50
    assert "/data/" not in text


def test_cases_beyond_the_shown_ones_have_no_address(run):
    many = tuple(replace(run.predictions[0], case=f"c{i:04d}") for i in range(SHOWN + 7))
    assert len(links(replace(run, predictions=many))) == SHOWN


def test_the_reasons_of_a_case_tell_its_file_once(run):
    path = "/x/y/case-001.svs"
    lost = Exclusion("case-001", "P001", path, "read", f"{path} is cut short", "image")
    told = case_rows(replace(run, exclusions=(lost,)))
    (shown,) = next(row.left_out for row in told if row.prediction.case == "case-001")
    assert (shown.path, shown.reason) == ("y/case-001.svs", "The file is cut short")
