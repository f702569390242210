"""A reporting guideline filled with what a run knows."""

import re

import pytest

from wholecase.core.errors import RunError
from wholecase.report import write_checklist
from wholecase.report.checklist_items import CHECKLISTS
from wholecase.report.checklists import ANSWERS, BLANK, checklist
from wholecase.report.read import read_run


@pytest.mark.parametrize("name", CHECKLISTS)
def test_every_item_has_its_line_and_what_the_run_knows(finished, name):
    run = read_run(finished.run.root)
    text = checklist(run, name)
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+[a-g]? \|", line)]
    assert [row[0].strip("| ") for row in rows] == [item for item, *_ in CHECKLISTS[name][1]]
    answers = dict(zip((row[1] for row in rows), (row[2] for row in rows), strict=True))
    known = [asked for _, asked, key in CHECKLISTS[name][1] if not key]
    assert all(answers[asked].strip("| ") == BLANK for asked in known)
    assert text.count("|") % 4 == 0
    assert f"{run.pooled['auroc'].value:.2f}" in text
    assert f"{len({one.patient for one in run.predictions})} patients" in text
    assert "nested" in text.lower()


def test_each_answer_is_asked_for_by_an_item():
    asked = {key for _, items in CHECKLISTS.values() for *_, key in items if key}
    assert asked == set(ANSWERS)


def test_numbers_of_items_are_those_of_the_guidelines():
    assert len(CHECKLISTS["claim"][1]) == 44
    tops = {re.match(r"\d+", number)[0] for number, *_ in CHECKLISTS["tripod-ai"][1]}
    assert tops == {str(n) for n in range(1, 28)}
    assert len(CHECKLISTS["tripod-ai"][1]) == 52


def test_an_unknown_checklist_is_refused(finished):
    with pytest.raises(RunError, match="did you mean 'claim'"):
        write_checklist(finished.run.root, "claims")
