"""The guide's ten lines, run as they stand; and that Python and the command line agree."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wholecase
from toys.quick import quick
from wholecase.core.errors import RunError
from wholecase.experiment import Summary

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "python.md"


@pytest.mark.slow
def test_the_guide_runs_as_it_stands(
    cohort_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copytree(cohort_file.parent, tmp_path / "there")
    shutil.copy(tmp_path / "there" / "00-0.png", tmp_path / "there" / "new.png")
    monkeypatch.chdir(tmp_path / "there")
    names: dict[str, object] = {}
    exec(compile(lines, "guide", "exec"), names)
    run, answer = names["run"], names["answer"]
    assert isinstance(run, wholecase.Run)
    assert isinstance(answer, wholecase.Judgement)
    assert run.metrics["auroc"].n == 23
    assert abs(sum(answer.shares.values()) - 1) < 1e-9
    picture = names["picture"]
    assert isinstance(picture, np.ndarray)
    assert picture.ndim == 3
    assert run.report().is_file()


def test_a_run_of_the_command_line_opens(finished: Summary) -> None:
    run = wholecase.open_run(finished.run.root)
    told = finished.metrics["pooled"]["auroc"]
    assert run.metrics["auroc"].to_json() == {k: v for k, v in told.items() if k != "held"}
    assert run.compare(run)["auroc"].value == 0
    assert len(run.predictions) == finished.cases_in
    row = run.predictions[0]
    assert run.evidence(row["case_id"]).weights.sum() == pytest.approx(1, abs=1e-5)
    assert "auroc" in run._repr_html_()


def test_overrides_as_mapping_and_as_lines_mean_the_same() -> None:
    from wholecase.api import _lines
    from wholecase.recipes import read_recipe

    mapping = {"encoder": "colour", "train.epochs": 3, "cohort.positive": ["a"], "encoder.x": None}
    lines = ["encoder=colour", "train.epochs=3", "cohort.positive=[a]", "encoder.x=null"]
    assert read_recipe("egfr-clam", _lines(mapping)) == read_recipe("egfr-clam", lines)
    assert quick() == quick(*_lines({}))


def test_known_patients_are_not_validated_on(finished: Summary, cohort_file: Path) -> None:
    run = wholecase.open_run(finished.run.root)
    assert run.validate(cohort_file, store=finished.run.root.parent / "features") == {}


def test_a_folder_without_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished run"):
        wholecase.open_run(tmp_path)


def test_importing_loads_nothing_heavy_and_offers_its_names() -> None:
    code = (
        "import sys, wholecase; assert 'torch' not in sys.modules and 'numpy' not in sys.modules; "
        "wholecase.open_run; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = wholecase.trian  # type: ignore[attr-defined]


@pytest.mark.slow
def test_unknown_patients_are_told_in_the_run(cohort_file: Path, tmp_path: Path) -> None:
    shutil.copytree(cohort_file.parent, tmp_path / "there")
    manifest = tmp_path / "there" / "cohort.csv"
    text = re.sub(r"^(c\d+),p\d+,", r"\1,unknown,", manifest.read_text(), flags=re.MULTILINE)
    manifest.write_text(text)
    hasty = {"encoder": "colour", "train.epochs": 1, "protocol.kind": "holdout"}
    run = wholecase.run("egfr-clam", manifest, tmp_path / "run", hasty)
    assert any("patients of all 24 cases are unknown" in note for note in run.notes)
