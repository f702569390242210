"""A run that is killed at any moment and started again ends as one that never was."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toys.quick import QUICK
from wholecase.experiment import Summary

COMPARED = (
    "predictions.csv",
    "metrics.json",
    "splits.csv",
    "stability.csv",
    "figures/confusion_matrix.svg",
    "recipe.yaml",
    "folds/0/history.csv",
    "folds/0/inner.csv",
    "folds/0/choices.json",
    "folds/0/model.safetensors",
    "folds/2/model.safetensors",
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killing_a_run_at_any_moment_changes_no_byte(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-c", "from wholecase.cli import main; main()", "run", "egfr-clam"]
    command += ["--cohort", str(cohort_file), "--out", str(out), "--workers", "1", *QUICK]
    draw = random.Random(3)
    kills = 0
    for _ in range(3):
        started = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        # from the second second on: earlier, nothing but imports is disturbed
        time.sleep(2 + draw.random() * 6)
        if started.poll() is None:
            kills += 1
            import os

            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert kills > 0
    for name in COMPARED:
        assert (out / name).read_bytes() == (finished.run.root / name).read_bytes(), name
    litter = [p for p in out.rglob("*") if ".part" in p.name]
    # what a kill leaves are neighbours that no reader looks at; never a half-written artefact
    assert all(p.name.startswith(".") for p in litter)
