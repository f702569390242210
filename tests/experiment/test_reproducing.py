"""A run again from its folder: the same to the last digit, and what differs is told."""

import shutil

import pytest

from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.execution import Place
from wholecase.experiment import reproduce, reproduction_lines
from wholecase.experiment.reproducing import compared
from wholecase.report import run_lines, runs_in
from wholecase.runs import RunFolder, read_rows, write_rows

HERE = Place(workers=0)


@pytest.fixture(scope="module")
def again(finished, tmp_path_factory):
    return reproduce(finished.run.root, tmp_path_factory.mktemp("again") / "run", HERE, fresh=True)


def test_a_run_is_the_same_again_to_the_last_digit(finished, again):
    assert again.is_same
    assert (again.furthest, again.decided, again.lost, dict(again.metrics)) == (0, (), (), {})
    assert dict(again.differing) == {}
    assert again.again.predictions.read_bytes() == finished.run.predictions.read_bytes()
    (line,) = reproduction_lines(again)
    assert line == "The same: every probability of 24 cases agrees to the last digit."


def test_what_differs_is_told_with_what_it_was(finished, tmp_path):
    other = RunFolder(tmp_path / "other")
    shutil.copytree(finished.run.root, other.root)
    facts = read_json(other.facts)
    facts["versions"]["torch"] = "9.9"
    write_json(other.facts, facts)
    rows = read_rows(other.predictions)
    rows[3]["decision"] = "b" if rows[3]["decision"] == "a" else "a"
    name = next(column for column in rows[0] if column.startswith("probability_"))
    rows[5][name] = f"{float(rows[5][name]) + 0.25:.8f}"
    write_rows(other.predictions, list(rows[0]), rows[:-1])
    told = compared(finished.run, other)
    assert not told.is_same
    assert told.furthest == pytest.approx(0.25)
    assert told.decided == (rows[3]["case_id"],)
    assert told.lost == (rows[-1]["case_id"],)
    lines = "\n".join(reproduction_lines(told))
    assert (
        f"versions.torch: {finished.run.read_facts()['versions']['torch']} before, 9.9 now" in lines
    )
    assert f"decided otherwise: 1 of 23 cases ({rows[3]['case_id']})" in lines
    assert "Not the same" in lines


def test_a_manifest_that_is_gone_or_changed_is_refused(finished, tmp_path):
    other = tmp_path / "run"
    shutil.copytree(finished.run.root, other)
    facts = read_json(other / "run.json")
    write_json(
        other / "run.json",
        facts | {"cohort": facts["cohort"] | {"path": "nowhere.csv"}, "repeat": {}},
    )
    with pytest.raises(RunError, match="name it with --cohort"):
        reproduce(other, tmp_path / "again", HERE)
    manifest = tmp_path / "cohort.csv"
    manifest.write_text("case_id\n")
    with pytest.raises(RunError, match="not the manifest that the run was made from"):
        reproduce(other, tmp_path / "again", HERE, cohort=manifest)


def test_runs_are_listed_with_what_differs_between_their_recipes(finished, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(finished.run.root, tmp_path / "deep" / name)
    recipe = tmp_path / "deep" / "two" / "recipe.yaml"
    text = recipe.read_text()
    assert "seed: 1" in text
    recipe.write_text(text.replace("seed: 1", "seed: 7"))
    lines = list(run_lines(runs_in(tmp_path)))
    assert {line.split()[0] for line in lines[1:3]} == {"deep/one", "deep/two"}
    assert any(
        line.split() in (["protocol.seed", "1", "7"], ["protocol.seed", "7", "1"]) for line in lines
    )
    with pytest.raises(RunError, match="no finished run"):
        runs_in(tmp_path / "deep" / "one" / "folds")
