"""What a run folder says, as frozen values: the report reads these and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SIDES = ("train", "valid", "test")


@dataclass(frozen=True)
class Measured:
    """A metric with its 95 % interval; None where it is undefined or was not computed."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """Number of patients behind it."""


@dataclass(frozen=True)
class UsedCase:
    """A case that went through the experiment."""

    id: str
    patient: str
    label: str
    site: str
    images: int
    instances: int


@dataclass(frozen=True)
class Exclusion:
    """An image or a case that was left out, and why."""

    case: str
    patient: str
    path: str
    stage: str
    reason: str
    costs: str
    """`image` or `case`."""


@dataclass(frozen=True)
class Prediction:
    """The answer to one case, given by a model that never saw its patient."""

    case: str
    patient: str
    fold: int
    label: str
    probabilities: tuple[float, ...]
    """One per class, in the order of `Run.classes`."""
    decision: str

    @property
    def is_wrong(self) -> bool:
        """Whether the decision differs from the label."""
        return self.decision != self.label


@dataclass(frozen=True)
class Epoch:
    """One row of a fold's history; a loss is None where the file has none."""

    number: int
    train_loss: float | None
    valid_loss: float | None
    is_best: bool


@dataclass(frozen=True)
class FoldRecord:
    """One outer fold: who stood where, how training went, what was chosen, what came out."""

    number: int
    patients: Mapping[str, int]
    """Distinct patients per side."""
    cases: Mapping[str, int]
    """Cases per side."""
    epochs: tuple[Epoch, ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Measured] = field(default_factory=dict)

    @property
    def threshold(self) -> float | None:
        """The decision threshold, chosen on inner patients; None with more than two classes."""
        value = self.choices.get("threshold")
        return float(value) if isinstance(value, int | float) else None


@dataclass(frozen=True)
class CasePictures:
    """Picture files of one case; a path is None where there is no such file."""

    thumbnail: Path | None
    heatmap: Path | None
    tiles: tuple[Path, ...]
    localisation_auc: float | None


@dataclass(frozen=True)
class Deletion:
    """Mean probability of the right class as shares of the instances are deleted."""

    shares: tuple[float, ...]
    top: tuple[float, ...]
    """The instances of greatest weight first."""
    random: tuple[float, ...]
    area: Measured
    cases: int


@dataclass(frozen=True)
class TissueRecord:
    """What was taken as tissue on one slide."""

    case: str
    image: str
    """Name of the file."""
    picture: Path | None
    instances: int
    """Tiles that were kept; 0 where no tissue was found."""


@dataclass(frozen=True)
class Run:
    """A finished run."""

    root: Path
    facts: Mapping[str, Any]
    """`run.json` as it stands."""
    classes: tuple[str, ...]
    cases: tuple[UsedCase, ...]
    exclusions: tuple[Exclusion, ...]
    predictions: tuple[Prediction, ...]
    folds: tuple[FoldRecord, ...]
    pooled: Mapping[str, Measured]
    spread: Mapping[str, tuple[float, float]]
    """Mean and standard deviation of a metric over the folds."""
    notes: tuple[str, ...]
    faithfulness: "Deletion | None"
    pictures: Mapping[str, CasePictures]
    tissue: tuple[TissueRecord, ...]
    times: Mapping[str, Any]
    recipe: str
    """The recipe as YAML text; empty where the file is gone."""

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, the second of which is the positive one."""
        return len(self.classes) == 2

    @property
    def positive(self) -> str:
        """The positive class of two; the last of several."""
        return self.classes[-1] if self.classes else ""

    def truth_probability(self, prediction: Prediction) -> float:
        """The probability that the model gave to the case's true class; nan if it has none."""
        if prediction.label not in self.classes:
            return float("nan")
        return prediction.probabilities[self.classes.index(prediction.label)]
