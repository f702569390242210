"""The soak itself: it draws, spoils, judges and counts, and a wrong answer is a fault."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).resolve().parents[2] / "benchmarks" / "soak"


@pytest.mark.slow
@pytest.mark.data
def test_a_short_soak_finds_nothing_in_any_kind(shared: Path) -> None:
    words = ["--data", str(shared / "data"), "--files", "60", "--seed", "11", "--seconds", "250"]
    done = subprocess.run(
        [sys.executable, SOAK, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "60 files in" in done.stdout or "61 files in" in done.stdout
    for kind in ("jpeg", "svs", "dicom slide", "table", "recipe", "features .pt"):
        assert f"\n{kind}" in done.stdout
