"""Options that several commands share, and what they become."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

CohortFile = Annotated[Path, Parameter(help="manifest of the cohort, a CSV file")]
Device = Annotated[str, Parameter(help="auto, cuda, mps or cpu")]
Workers = Annotated[int, Parameter(help="worker processes; 0 is one per core")]
StoreFolder = Annotated[Path | None, Parameter(help="where features are kept and found again")]
MovedWeights = Annotated[
    list[Path] | None,
    Parameter(help="encoder weights, if they moved; once for each encoder side by side"),
]
Overrides = Annotated[str, Parameter(help="changes to the recipe, such as train.epochs=3")]
