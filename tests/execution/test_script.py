"""A script without a guard may use workers."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
from wholecase.core.files import safe_name
from wholecase.execution import parallel_map

print("begun")
print(sorted(done.result for done in parallel_map(safe_name, ["a/b", "c"], workers=2)))
"""


def test_workers_do_not_run_the_script_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("begun") == 1
    assert "'c'" in done.stdout
