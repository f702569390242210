"""Commands as a terminal runs them."""

import os
import signal
import subprocess
import sys

COMMAND = [sys.executable, "-c", "from wholecase.cli import main; main()"]


def interrupted(words: list[object], at: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose terminal sends Ctrl-C once it says `at`."""
    command = [*COMMAND, *map(str, words), "--workers", "2"]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        while not (line := running.stderr.readline()).startswith(at):
            assert line, "it ended before"
        os.killpg(running.pid, signal.SIGINT)
        errors = running.communicate(timeout=60)[1]
    return running.returncode, errors
