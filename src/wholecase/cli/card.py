"""`wholecase card`: a model card of a run."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def card(run: Annotated[Path, Parameter(help="folder of a finished run")]) -> None:
    """Write `model-card.md` into a run: use, data, figures, subgroups, limits; blanks are yours."""
    from wholecase.report import write_card

    print(write_card(run).resolve().as_uri())
