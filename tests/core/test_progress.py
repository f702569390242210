"""Long work says how far it is: a bar on a terminal, lines elsewhere, and JSON where asked."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from wholecase.core import progress as module
from wholecase.core.outlet import message, telling
from wholecase.core.progress import progress


def test_lines_tell_count_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("encoding", 3, "images") as advance:
        advance()
        advance(2)
    start, end = capsys.readouterr().err.splitlines()
    assert start == "encoding: 3 images"
    assert end.startswith("encoding: 3/3 in 0 s, ")
    assert end.endswith("images/s")


def test_lines_come_now_and_then_with_what_is_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_S", 0.0)
    with progress("training", 4, "epochs") as advance:
        advance(fold=1, loss=0.123456)
        time.sleep(0.01)
        advance(0, fold=2)
        advance(-1)
        advance(4)
    _, first, second, third, end = capsys.readouterr().err.splitlines()
    assert first.startswith("training: 1/4, ")
    assert first.endswith(" left, fold 1, loss 0.1235")
    assert second.startswith("training: 1/4, ")
    assert second.endswith("fold 2")
    assert third.startswith("training: 0/4")
    assert end.startswith("training: 4/4 in ")


def test_nothing_to_do_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("encoding", 0):
        pass
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress("encoding", 3, "images") as advance:
        advance(2, image="a.svs")
        message("in between")
    told = capsys.readouterr().err
    assert "2/3" in told
    assert "image a.svs" in told
    assert "in between\n" in told


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with telling(quiet=True), progress("encoding", 3) as advance:
        advance(3)
        message("nobody hears this")
    assert capsys.readouterr().err == ""


def lines_of(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_log_has_start_facts_end_and_messages(tmp_path: Path) -> None:
    log = tmp_path / "new" / "log.jsonl"
    with telling(quiet=True, log=log):
        with progress("training", 2, "epochs") as advance:
            advance(epoch=1, loss=np.float32(0.5))
            message("hello")
            advance(epoch=2, loss=float("nan"))
        with progress("drawing", 5) as advance:
            advance()  # within a second, and without facts: no line
    lines = lines_of(log)
    assert [(line["event"], line.get("phase"), line.get("done")) for line in lines] == [
        ("start", "training", 0),
        ("progress", "training", 1),
        ("message", None, None),
        ("progress", "training", 2),
        ("end", "training", 2),
        ("start", "drawing", 0),
        ("end", "drawing", 1),
    ]
    assert lines[1]["facts"] == {"epoch": 1, "loss": 0.5}
    assert lines[3]["facts"] == {"epoch": 2, "loss": None}
    assert [line["rate"] is None for line in lines if "rate" in line][:2] == [True, False]
    assert lines[3]["eta"] == 0.0


def test_what_stopped_is_told_apart_and_the_log_grows(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"

    def stopped() -> None:
        with telling(quiet=True, log=log), progress("encoding", 3) as advance:
            advance()
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            stopped()
    assert [line["event"] for line in lines_of(log)] == ["start", "stopped"] * 2


def test_a_log_that_cannot_be_is_an_error_and_one_that_fills_up_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError), telling(log=tmp_path / "file" / "log"):
        pass
    full = Path("/dev/full")
    if full.exists():
        with pytest.raises(OSError, match="No space"), telling(log=full):
            message("lost")
