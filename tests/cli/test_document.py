"""`--json`: one document on stdout with the keys that the guide tells, the words on stderr."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from wholecase.cli import examination, main

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "scripts.md"


@pytest.fixture
def asked(capsys):
    def ask(*words: object, code: int = 0) -> tuple[dict, str]:
        with pytest.raises(SystemExit) as left:
            main([*map(str, words), "--json"])
        assert int(left.value.code or 0) == code
        told = capsys.readouterr()
        return (json.loads(told.out) if told.out else {}), told.err

    return ask


def check_keys(facts: dict) -> None:
    """The guide's table of the command names just these keys."""
    _, _, after = GUIDE.read_text().partition(f"## {facts['command']}\n")
    rows = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in row.split("|")[1].replace("`", "").split(", ")}
    assert {name.strip() for name in named} == set(facts) - {"wholecase", "command"}


def test_doctor_tells_what_works_and_what_does_not(asked, monkeypatch) -> None:
    works = {"python": examination.EXAMINATIONS["python"], "codecs": lambda: "all of them"}
    monkeypatch.setattr(examination, "EXAMINATIONS", works)
    facts, words = asked("doctor")
    check_keys(facts)
    assert facts["healthy"] is True
    assert facts["examinations"][1] == {"name": "codecs", "works": True, "found": "all of them"}
    assert "ok    codecs" in words
    monkeypatch.setitem(works, "disk", lambda: 1 // 0)
    facts, words = asked("doctor", code=1)
    assert facts["healthy"] is False
    assert "FAIL  disk" in words


def test_check_tells_findings_and_fails_as_without(asked, cohort_file: Path, tmp_path: Path):
    facts, words = asked("check", cohort_file)
    check_keys(facts)
    assert facts["failed"] is False
    assert "A run would start" in facts["verdict"]
    everything = facts["counts"][0]
    assert (everything["cases"], everything["images"]) == (24, 72)
    assert str(cohort_file) in words
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(cohort_file.read_text().splitlines()[:3]) + "\n")
    facts, _ = asked("check", path, code=1)
    assert facts["failed"] is True
    (found,) = {one["problem"] for one in facts["findings"] if one["severity"] == "error"}
    assert "missing" in found
    assert set(facts["findings"][0]) == {"severity", "where", "what", "costs", "problem"}


def test_predict_tells_answers_failures_and_notes(
    asked, finished, cohort_file: Path, tmp_path: Path
):
    good, bad = cohort_file.parent / "07-0.png", tmp_path / "bad.png"
    bad.write_text("not an image")
    facts, words = asked("predict", finished.run.root, good, bad, "--workers", 1, code=2)
    check_keys(facts)
    assert facts["cases"] == 2
    (one,) = facts["predictions"]
    assert (one["case_id"], one["decision"], one["seen"]) == ("07-0", "mutated", "file")
    assert sum(one["probabilities"].values()) == pytest.approx(1)
    assert list(one["probabilities"]) == facts["classes"]
    (failure,) = facts["failures"]
    assert (failure["path"], failure["stage"]) == (str(bad), "open")
    assert "07-0: mutated" in words


def test_compare_tells_pairs_and_the_disputed(asked, finished, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(finished.run.root, copy)
    with (copy / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    rows[0]["decision"] = next(c for c in ("mutated", "wild-type") if c != rows[0]["decision"])
    with (copy / "predictions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    facts, words = asked("compare", finished.run.root, copy)
    check_keys(facts)
    (pair,) = facts["pairs"]
    assert pair["differences"]["auroc"]["value"] == 0
    assert abs(pair["accuracy"]["difference"]["value"]) == pytest.approx(1 / 24)
    (disputed,) = facts["disputed"]
    assert disputed["case_id"] == rows[0]["case_id"]
    assert [said["run"] for said in disputed["said"]] == [finished.run.root.name, "copy"]
    assert "all together" in words


def test_an_error_writes_no_document(asked, tmp_path: Path):
    facts, words = asked("predict", tmp_path, "x.png", code=1)
    assert facts == {}
    assert words.startswith("wholecase: ")
