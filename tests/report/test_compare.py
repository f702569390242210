"""Runs against each other: what is told, drawn and refused."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from wholecase.cli import main
from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import write_json
from wholecase.report import compare, compare_page, compare_runs, pair_lines
from wholecase.report.compare_page import page_of, verdict_of
from wholecase.report.disputed import disputed_cases
from wholecase.runs import RunFolder, read_rows, write_rows


@pytest.fixture(scope="module")
def other(binary, tmp_path_factory):
    """The same run, with every ninth case decided the other way."""
    root = tmp_path_factory.mktemp("others") / "night-4"
    shutil.copytree(binary.root, root)
    folder = RunFolder(root)
    rows = read_rows(folder.predictions)
    names = ("probability_wild-type", "probability_mutated")
    for row in rows[::9]:
        row[names[0]], row[names[1]] = row[names[1]], row[names[0]]
        row["decision"] = "mutated" if row["decision"] == "wild-type" else "wild-type"
    write_rows(folder.predictions, list(rows[0]), rows)
    return folder


@pytest.fixture(scope="module")
def told(binary, other):
    return compare([binary.root, other.root])


def test_what_is_told_of_a_pair_is_what_the_tables_say(told, binary, other):
    (pair,) = told.pairs
    mine, theirs = (
        {r["case_id"]: r["decision"] == r["label"] for r in read_rows(f.predictions)}
        for f in (binary, other)
    )
    differ = {case for case in mine if mine[case] != theirs[case]}
    rows = told.runs[0].rows
    assert {rows[n]["case_id"] for n in told.disputed} == differ
    assert told.overlap.disagreement.value == pytest.approx(len(differ) / len(mine))
    assert told.overlap.oracle.value == pytest.approx(np.mean([mine[c] or theirs[c] for c in mine]))
    assert pair.overlap.cases.both == sum(not (mine[c] or theirs[c]) for c in mine)
    gap = np.mean(list(mine.values())) - np.mean(list(theirs.values()))
    assert pair.accuracy.difference.value == pytest.approx(gap)
    assert pair.differences["accuracy"].value == pytest.approx(gap)
    assert "pairs within folds" in pair.area.how
    assert compare_runs(binary.root, other.root) == pair.differences
    assert any(f"only night-4 {pair.overlap.cases.second}" in line for line in pair_lines(pair))


def test_disputed_cases_farthest_apart_come_first(told):
    rows = [[run.scores.probabilities[n, 1] for run in told.runs] for n in told.disputed]
    apart = [abs(a - b) for a, b in rows]
    assert apart == sorted(apart, reverse=True)


def test_the_page_shows_each_disputed_case_with_what_every_run_says(told, tmp_path):
    text = compare_page(told, tmp_path / "compare.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    for number in told.disputed:
        assert f"<strong>{told.runs[0].rows[number]['case_id']}</strong>" in text
    pictured = [one for one in disputed_cases(told) if one.picture]
    assert text.count("data:image/jpeg") >= len(pictured) > 0
    assert verdict_of(told) in text
    for word in ("McNemar", "DeLong", "Oracle accuracy", "exact binomial"):
        assert word in text


def test_a_case_without_a_picture_in_the_runs_is_drawn_from_its_image(told, tmp_path):
    case = told.runs[0].rows[told.disputed[0]]["case_id"]
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "one.png")
    manifest = tmp_path / "cohort.csv"
    manifest.write_text(f"case_id,patient_id,path,kind\n{case},p,one.png,tile\n")
    roots = []
    for run in told.runs:
        root = tmp_path / run.name
        shutil.copytree(run.folder.root, root)
        RunFolder(root).pictures.unlink()
        facts = json.loads(RunFolder(root).facts.read_text())
        facts["cohort"] = {"path": str(manifest), "digest": file_digest(manifest)}
        write_json(RunFolder(root).facts, facts)
        roots.append(root)
    shown = disputed_cases(compare(roots))
    assert [bool(one.picture) for one in shown] == [one.case == case for one in shown]
    manifest.write_text(manifest.read_text() + "\n")
    assert not any(one.picture for one in disputed_cases(compare(roots)))


def test_three_runs_make_three_pairs_and_one_table_of_cases(told, binary, other, tmp_path):
    third = tmp_path / "night-5"
    shutil.copytree(other.root, third)
    three = compare([binary.root, other.root, third])
    assert [(p.first.name, p.second.name) for p in three.pairs] == [
        ("night-3", "night-4"),
        ("night-3", "night-5"),
        ("night-4", "night-5"),
    ]
    assert three.disputed == told.disputed
    assert three.pairs[2].accuracy.p == 1.0
    assert three.pairs[2].area.p is None
    assert "not decided alike by all 3 runs" in page_of(three)


def test_more_than_two_classes_have_no_area(three, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(three.root, twin)
    told = compare([three.root, twin])
    assert told.pairs[0].area is None
    assert "All cases are decided alike." in page_of(told)


def test_what_cannot_be_compared_is_refused_in_a_sentence(binary, other, three, tmp_path):
    with pytest.raises(RunError, match="name at least two"):
        compare([binary.root])
    with pytest.raises(RunError, match="named twice"):
        compare([binary.root, binary.root])
    with pytest.raises(RunError, match="compare runs of the same classes"):
        compare([binary.root, three.root])
    moved = tmp_path / "moved"
    shutil.copytree(other.root, moved)
    rows = read_rows(other.predictions)
    rows[0]["label"] = "mutated" if rows[0]["label"] == "wild-type" else "wild-type"
    write_rows(RunFolder(moved).predictions, list(rows[0]), rows)
    with pytest.raises(RunError, match="with the same label"):
        compare([binary.root, moved])
    RunFolder(moved).predictions.unlink()
    with pytest.raises(RunError, match="judged no case"):
        compare([binary.root, moved])


def test_the_command_prints_and_writes_the_page(binary, other, tmp_path, capsys):
    page = tmp_path / "compare.html"
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(binary.root), str(other.root), "--html", str(page)])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for words in (
        "night-3 minus night-4",
        "agreement",
        "oracle accuracy",
        "wrong: both",
        "decided",
    ):
        assert words in printed
    assert page.is_file()
