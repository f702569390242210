"""The command line: one file per command, heavy imports inside the commands."""

from wholecase.cli.main import main

__all__ = ["main"]
