"""How commands end: closed pipes, Ctrl-C, disks that take nothing. One sentence, or none at all."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from toys.quick import QUICK
from toys.terminal import COMMAND, interrupted
from wholecase.cli import main
from wholecase.cli.ending import KEPT
from wholecase.experiment import Summary

posix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


@posix
@pytest.mark.parametrize(
    ("words", "code"),
    [(["recipes", "show", "egfr-clam"], 141), (["--help"], 1)],  # help ends as its library does
)
def test_a_closed_pipe_ends_silently(words: list[str], code: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([*COMMAND, *words], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_behind_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, "recipes"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "wholecase: no space left on device; free space there, or name another disk, and repeat "
        "the command"
    ]


@posix
@pytest.mark.parametrize(
    "command",
    ["run", *(pytest.param(one, marks=pytest.mark.slow) for one in ("extract", "predict"))],
)
def test_ctrl_c_tells_what_is_kept(
    cohort_file: Path, finished: Summary, tmp_path: Path, command: str
) -> None:
    made = ["egfr-clam", "--cohort", cohort_file, "--store", tmp_path / "s"]
    words, at = {
        "extract": ([*made, *QUICK], "encoding: "),
        "run": ([*made, *QUICK, "--out", tmp_path / "r"], "training: "),
        "predict": (
            [finished.run.root, "--cohort", cohort_file, "--store", tmp_path / "s"],
            "encoding: ",
        ),
    }[command]
    code, errors = interrupted([command, *words], at)
    assert code == 130
    assert errors.splitlines()[-1] == (
        f"wholecase: stopped; {KEPT[command]}, and the same command goes on from there"
    )
    assert "Traceback" not in errors


def test_places_that_cannot_be_are_named_with_the_way_out(
    finished: Summary, cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, file = finished.run.root, tmp_path / "file"
    file.write_text("a file is no folder")
    below = file / "below"
    image = cohort_file.parent / "08-0.png"
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "report.html").unlink()
    (copy / "report.html").mkdir()
    extract = ("extract", "egfr-clam", "--cohort", cohort_file, "--workers", 1, *QUICK)
    for words, path, way in (
        ((*extract, "--store", below), below, "name another folder with --store"),
        (("check", cohort_file, "--html", below / "c.html"), below / "c.html", "another place"),
        (("check", cohort_file, "--html", tmp_path), tmp_path, "name a file"),
        (("explain", run, "--case", "c07", "--out", below), below, "another place"),
        (("predict", run, image, "--store", below, "--workers", 1), below, "with --store"),
        (("predict", run, image, "--out", below / "p.csv", "--workers", 1), below, "another place"),
        (("report", copy), copy / "report.html", "move that folder away"),
        (("recipes", "--log", below / "log"), below, "another place"),
    ):
        assert call(*words) == 1, words
        (sentence,) = [
            line for line in capsys.readouterr().err.splitlines() if line.startswith("wholecase: ")
        ]
        assert str(path) in sentence, words
        assert way in sentence, words
    assert file.read_text() == "a file is no folder"


def test_a_page_that_cannot_be_written_is_known_before_anything_is_opened(
    cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("check", cohort_file, "--html", tmp_path / ("x" * 300)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "file name too long; give it a shorter name" in told.err


def test_quiet_leaves_stderr_empty_and_the_log_tells_all(
    cohort_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.jsonl"
    words = ("extract", "egfr-clam", "--cohort", cohort_file, "--store", tmp_path / "s")
    assert call(*words, "--quiet", "--log", log, "--workers", 1, *QUICK) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "72 images encoded" in told.out
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    events = [(line["event"], line["done"]) for line in lines if line.get("phase") == "encoding"]
    assert events[0] == ("start", 0)
    assert events[-1] == ("end", 72)
    assert all(line.keys() >= {"time", "total", "rate", "eta", "unit"} for line in lines)
    # errors stand in it too, and what was there stays
    assert call("--log", log, "report", tmp_path / "none") == 1
    added = [json.loads(line) for line in log.read_text().splitlines()][len(lines) :]
    assert [(line["event"], line["code"]) for line in added] == [("error", 1)]
    assert "no finished run" in added[0]["message"]
    assert "no finished run" in capsys.readouterr().err
