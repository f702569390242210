"""Who copies the README's commands, with Python and a wheel alone, sees each of them succeed."""

from pathlib import Path

import pytest

from walk import commands, fresh, python_blocks, walk


def test_the_readme_has_commands_to_walk() -> None:
    told = " ".join(commands())
    for name in ("doctor", "check", "run", "predict", "explain", "compare", "export"):
        assert f"wholecase {name} " in f"{told} ", name
    assert python_blocks()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_command_of_the_readme_succeeds(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    walk(fresh(tmp_path), home)
