"""`wholecase compare`: two runs on the same folds."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def compare(
    first: Annotated[Path, Parameter(help="folder of a finished run")],
    second: Annotated[Path, Parameter(help="folder of another, on the same folds")],
) -> None:
    """Tell each metric of the first run minus that of the second, with paired intervals."""
    from dataclasses import asdict

    from wholecase.cli.lines import metric_lines
    from wholecase.report import compare_runs

    print(f"{first} minus {second}")
    differences = compare_runs(first, second)
    for line in metric_lines({name: asdict(interval) for name, interval in differences.items()}):
        print(line)
