"""Who copies the README's commands, with Python and a wheel alone, sees each of them succeed."""

from pathlib import Path

import pytest

from walk import commands, fresh, python_blocks, walk
from walk_guides import ELSEWHERE, GROUNDS, GUIDES, steps, walk_guides


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


def test_every_guide_is_walked() -> None:
    guides = {path.stem for path in GUIDES.glob("*.md")}
    assert guides == {*GROUNDS, *ELSEWHERE}
    assert all(steps(guide) for guide in guides - {"ct", "python", "your-own-part"})
    # what stands for the reader's own is used
    for guide, ground in GROUNDS.items():
        text = (GUIDES / f"{guide}.md").read_text("utf-8")
        unused = [part for part in ground.left_out if part not in text]
        assert not unused, (guide, unused)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_command_of_the_guides_succeeds(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    walk_guides(fresh(tmp_path), home)
