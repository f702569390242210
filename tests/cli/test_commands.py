"""The commands as a person types them: what they print, and with which exit code."""

import shutil
from pathlib import Path

import pytest

from toys.quick import QUICK
from wholecase.cli import main
from wholecase.cli.lines import metric_lines
from wholecase.experiment import Summary
from wholecase.runs import read_rows


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


def test_run_tells_metrics_cases_and_where_the_report_is(
    cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ("run", "egfr-clam", "--cohort", cohort_file, "--out", out, "--workers", 1)
    assert call(*words, *QUICK, "train.epochs=2") == 0
    told = capsys.readouterr().out
    assert "auroc" in told
    assert "95 %" in told
    assert "cases: 24 in, 0 out, 24 used" in told
    assert f"report: {(out / 'report.html').resolve().as_uri()}" in told


def test_predict_leaves_what_the_run_knows_out_of_the_metrics(
    finished: Summary, cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = cohort_file.read_text().splitlines()
    changed = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[2] = str(cohort_file.parent / cells[2])
        if cells[1] > "p10":
            cells[0], cells[1] = "new-" + cells[0], "new-" + cells[1]
        changed.append(",".join(cells))
    path, out = tmp_path / "other.csv", tmp_path / "predictions.csv"
    path.write_text("\n".join(changed) + "\n")
    assert call("predict", finished.run.root, "--cohort", path, "--out", out, "--workers", 1) == 0
    told = capsys.readouterr().out
    assert "11 labelled cases belong to patients of the run" in told
    assert "13 labelled cases show what the run learnt from" in told
    assert "auroc" not in told
    predicted = read_rows(out)
    assert len(predicted) == 24
    assert list(predicted[0]) == [
        "case_id",
        "patient_id",
        "label",
        "probability_wild-type",
        "probability_mutated",
        "decision",
        "spread",
        "distance_percentile",
        "unlike",
        "seen",
    ]
    known = {row["case_id"]: row["seen"] for row in predicted}
    assert set(known.values()) == {"file"}  # the others are copies under new names
    right = [row["decision"] == row["label"] for row in predicted]
    assert sum(right) > 20


def test_a_metric_without_an_interval_says_why() -> None:
    told = {"value": 1.0, "low": None, "high": None, "n": 4, "reason": "too few patients"}
    (line,) = metric_lines({"auprc": told})
    assert line.endswith("1.000  no interval: too few patients  (n = 4 patients)")
    (line,) = metric_lines({"slope": {**told, "value": None, "reason": None}})
    assert line.endswith("undefined (n = 4 patients)")


def test_predict_single_images(
    finished: Summary, cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = cohort_file.parent / "07-0.png", tmp_path / "bad.png"
    bad.write_text("not an image")
    assert call("predict", finished.run.root, good, bad, "--workers", 1) == 2
    told = capsys.readouterr().out
    assert "07-0: mutated" in told
    assert "out: " in told
    assert "bad.png" in told


def test_explain_a_case_of_the_run_and_a_new_image(
    finished: Summary, cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "explained"
    assert call("explain", finished.run.root, "--case", "c07", "--out", out) == 0
    image = cohort_file.parent / "08-0.png"
    assert call("explain", finished.run.root, image, "--out", out, "--workers", 1) == 0
    assert "08-0: wild-type" in capsys.readouterr().out
    assert len(list(out.glob("c07*-heatmap.png"))) == 3
    assert len(list(out.glob("08-0*-instances.csv"))) == 1


def test_extract_then_run_finds_the_features(
    cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("egfr-clam", "--cohort", cohort_file, "--store", tmp_path, "--workers", 1, *QUICK)
    assert call("extract", *words) == 0
    assert "72 images encoded, 0 found, 0 failed" in capsys.readouterr().out
    assert call("extract", *words) == 0
    assert "0 images encoded, 72 found, 0 failed" in capsys.readouterr().out


def test_report_is_written_anew(finished: Summary, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished.run.root, copy)
    (copy / "report.html").unlink()
    assert call("report", copy) == 0
    assert (copy / "report.html").is_file()


def test_check_a_good_and_a_bad_cohort(cohort_file: Path, tmp_path: Path, capsys) -> None:
    assert call("check", cohort_file, "--recipe", "egfr-clam") == 0
    told = capsys.readouterr().out
    assert "mutated" in told
    rows = cohort_file.read_text().splitlines()
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join([rows[0], *rows[1:5]]) + "\n")
    assert call("check", path) == 1
    assert "missing" in capsys.readouterr().out


def test_recipes_and_doctor(capsys) -> None:
    assert call("recipes") == 0
    assert "egfr-clam" in capsys.readouterr().out
    assert call("recipes", "show", "egfr-clam", "model.aggregator=mean") == 0
    assert "pool.embed" not in capsys.readouterr().out
    assert call("doctor") == 0
    assert "FAIL" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("encoder.nme=x",), "unknown key 'encoder.nme'|has no option 'nme'"),
        (("train.epoch=x",), "unknown key 'train.epoch'; did you mean 'epochs'"),
        (("encoder=resnet50",), "weights"),
        (("cohort.positive=[mutant]",), "line 2|line 4"),
        (("protocol.folds=20",), "folds"),
        (("cut.tissue={name: otsu, lest: 0.2}",), "lest"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    cohort_file: Path, tmp_path: Path, capsys, change: tuple[str, ...], told: str
) -> None:
    import re

    out = tmp_path / "run"
    words = ("run", "egfr-clam", "--cohort", cohort_file, "--out", out, "--workers", 1)
    assert call(*words, *QUICK, *change) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    errors = [line for line in lines if line.startswith("wholecase: ")]
    assert len(errors) == 1, lines
    assert re.search(told, errors[0]), errors[0]
    assert not (out / "predictions.csv").exists()


def test_an_unfinished_folder_is_no_run(tmp_path: Path, capsys) -> None:
    assert call("report", tmp_path) == 1
    assert "is no finished run" in capsys.readouterr().err
    assert call("predict", tmp_path, "x.png") == 1


def test_one_class_only_and_two_labels_in_a_case(cohort_file: Path, tmp_path: Path, capsys) -> None:
    rows = cohort_file.read_text().splitlines()
    path = tmp_path / "one.csv"
    path.write_text("\n".join(row for row in rows if "mutated" not in row) + "\n")
    assert call("run", "egfr-clam", "--cohort", path, "--out", tmp_path / "a", *QUICK) == 1
    assert "class" in capsys.readouterr().err
    path.write_text("\n".join([*rows, "c03,p03,03-9.png,wild-type,tile"]) + "\n")
    assert call("run", "egfr-clam", "--cohort", path, "--out", tmp_path / "a", *QUICK) == 1
    told = capsys.readouterr().err
    assert f"line {len(rows) + 1}" in told
    assert "two labels" in told
