"""`wholecase report`: the page of a run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def report(run: Annotated[Path, Parameter(help="folder of a finished run")]) -> None:
    """Write a run's self-contained page anew and say where it is."""
    from wholecase.report import write_report

    print(write_report(run).resolve().as_uri())
