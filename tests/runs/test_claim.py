"""One process at a time works in a run folder, and the next is told who does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wholecase.core.errors import RunError
from wholecase.runs import CLAIM, claimed

OTHER = """
import sys, time
from pathlib import Path
from wholecase.runs import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def other(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OTHER, str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_folder_is_made_claimed_and_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a"
    with claimed(folder):
        assert [path.name for path in folder.iterdir()] == [CLAIM]
        (folder / "kept").touch()
    assert [path.name for path in folder.iterdir()] == ["kept"]


@pytest.mark.parametrize("there", [False, True])
def test_a_refused_run_leaves_the_folder_as_it_was(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "a"
    if there:
        folder.mkdir()

    def refused() -> None:
        with claimed(folder):
            raise RunError("no")

    with pytest.raises(RunError, match="no"):
        refused()
    assert folder.exists() == there
    assert not there or not list(folder.iterdir())


def test_who_works_there_is_told_and_a_dead_one_is_followed(tmp_path: Path) -> None:
    with other(tmp_path / "a") as holder:
        told = rf"a is in the hands of process {holder.pid} on \S+, since \d{{4}}-.*wait until"
        with pytest.raises(RunError, match=told), claimed(tmp_path / "a"):
            pass
        assert (tmp_path / "a" / CLAIM).exists()
        holder.kill()
    with claimed(tmp_path / "a"):
        assert f'"pid": {os.getpid()}' in (tmp_path / "a" / CLAIM).read_text()


def test_where_no_folder_can_be_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), claimed(tmp_path / "file" / "run"):
        pass
