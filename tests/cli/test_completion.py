"""The shell completes commands and options once the library's script is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from wholecase.cli import main

ASK = """
source "$1"; ask=$(complete -p wholecase | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=(wholecase comp); COMP_CWORD=1; $ask; echo "${COMPREPLY[@]}"
COMP_WORDS=(wholecase predict --js); COMP_CWORD=2; COMPREPLY=(); $ask; echo "${COMPREPLY[@]}"
"""


def test_bash_completes_a_command_and_an_option(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # whose .bashrc is added to
    bash, script = shutil.which("bash"), tmp_path / "wholecase"
    if bash is None:
        pytest.skip("there is no bash here")
    with pytest.raises(SystemExit) as left:
        main(["--install-completion", "--shell", "bash", "--output", str(script)])
    assert not left.value.code
    done = subprocess.run(
        [bash, "-c", ASK, "bash", script], capture_output=True, text=True, check=True
    )
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert done.stdout.split() == ["compare", "--json"]
