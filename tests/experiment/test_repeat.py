"""The command that repeats a run: it works where it says, and tells no absolute path."""

import shlex
from pathlib import Path

import pytest

from wholecase.core.files import read_json
from wholecase.experiment import Summary
from wholecase.experiment.repeat import repeat_of
from wholecase.report.provenance import command
from wholecase.report.read import read_run


def test_paths_count_from_where_the_run_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = repeat_of(Path("runs/x"), Path("data/cohort.csv"), is_split_given=False)
    assert told == {"home": "start", "run": "runs/x", "cohort": "data/cohort.csv", "splits": False}


def test_else_from_the_nearest_folder_that_holds_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run, cohort = tmp_path / "study" / "runs" / "x", tmp_path / "study" / "cohort.csv"
    told = repeat_of(run, cohort, is_split_given=True)
    assert told == {"home": "both", "run": "runs/x", "cohort": "cohort.csv", "splits": True}


def test_two_ends_of_the_disk_tell_names_alone() -> None:
    told = repeat_of(Path("/mnt/x/run"), Path("/srv/hospital/c.csv"), is_split_given=False)
    assert told == {"home": None, "run": "run", "cohort": "c.csv", "splits": False}


def test_the_command_of_a_run_finds_its_files(finished: Summary, cohort_file: Path) -> None:
    told = read_json(finished.run.facts)["repeat"]
    words = shlex.split(command(read_run(finished.run.root)))
    assert told["home"] == "both"
    recipe, cohort = Path(words[2]), Path(words[words.index("--cohort") + 1])
    home = finished.run.recipe.resolve().parents[len(recipe.parts) - 1]
    assert (home / recipe).samefile(finished.run.recipe)
    assert (home / cohort).samefile(cohort_file)
    assert not any(word.startswith("/") for word in words)
