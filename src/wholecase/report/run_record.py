"""A run folder as one frozen value: the report reads this and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wholecase.report.records import (
    Baseline,
    CasePictures,
    CheckRecord,
    Deletion,
    EmbeddingMap,
    Exclusion,
    FoldRecord,
    ImageCounts,
    ImagesAlone,
    MarkedSlices,
    Measured,
    NearCase,
    Novelty,
    Opinion,
    Prediction,
    Repeated,
    Scale,
    Subgroup,
    TissueRecord,
    UsedCase,
)
from wholecase.report.voting import VoteRecord
from wholecase.runs import BY_IMAGE, forced, mark_of


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
    faithfulness: Deletion | None
    pictures: Mapping[str, CasePictures]
    tissue: tuple[TissueRecord, ...]
    times: Mapping[str, Any]
    recipe: str
    """The recipe as YAML text; empty where the file is gone."""
    opinions: Mapping[str, tuple[Opinion, ...]] = field(default_factory=dict)
    """Case -> what each fold's model says of it; empty where the run did not ask them."""
    repeats: Mapping[str, Repeated] = field(default_factory=dict)
    """Metric -> its spread over repeats; empty where the run was made once."""
    stability: Measured | None = None
    """Mean rank correlation of the attention of two fold models."""
    lesion_slices: Mapping[str, Measured] = field(default_factory=dict)
    """Of series with masks whether evidence finds what they mark; empty where there are none."""
    marked: Mapping[str, MarkedSlices] = field(default_factory=dict)
    """By case; of series in whose mask there is something."""
    novelty: Mapping[str, Novelty] = field(default_factory=dict)
    """By case; empty where the run did not measure it."""
    neighbours: Mapping[str, tuple[NearCase, ...]] = field(default_factory=dict)
    """By case, nearest first; empty where the run does not decide by neighbours."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """By name; empty where the run asked for none."""
    images: Mapping[str, ImagesAlone] = field(default_factory=dict)
    """`all`, and by magnification; empty where no images are judged alone."""
    magnifications: tuple[ImageCounts, ...] = ()
    """Empty where the manifest tells none."""
    scales: Mapping[str, Scale] = field(default_factory=dict)
    """By magnification; empty where the model mixes none."""
    vote: VoteRecord | None = None
    """None where the run is no vote of runs."""
    embedding: EmbeddingMap | None = None
    """Of one fold; None where the run compares no cases."""
    additions: tuple[str, ...] = ()
    """What was added to the models' memory after the run, in words; part of no figure."""

    calibration: Mapping[str, Measured] = field(default_factory=dict)
    """`observed_expected`, `ici` and `ece_if_honest` of two classes."""
    refer: Mapping[str, Measured] = field(default_factory=dict)
    """What referring unsure cases would give, in words; empty where no zone could be set."""
    sets: Mapping[str, Measured] = field(default_factory=dict)
    """What sets of classes instead of decisions would give, in words."""
    checks: tuple[CheckRecord, ...] = ()
    """In the order of their codes; empty of runs that were not asked."""
    subgroups: Mapping[str, tuple[Subgroup, ...]] = field(default_factory=dict)
    """By column of the manifest."""

    @property
    def mark(self) -> str:
        """What every figure must carry; empty where the sides are apart, or were not compared."""
        is_forced = forced([vars(one) for one in self.checks]) is not None
        return mark_of(self.facts, is_forced=is_forced)

    @property
    def is_by_image(self) -> bool:
        """Whether images were divided, whoever's they are."""
        return bool((self.facts.get("splits") or {}).get("protocol") == BY_IMAGE)

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, the second of which is the positive one."""
        return len(self.classes) == 2

    @property
    def positive(self) -> str:
        """The positive class of two; the last of several."""
        return self.classes[-1] if self.classes else ""

    def fold(self, number: int) -> FoldRecord | None:
        """The fold of that number, if the run kept it."""
        return next((fold for fold in self.folds if fold.number == number), None)

    def truth_probability(self, prediction: Prediction) -> float:
        """The probability that the model gave to the case's true class; nan if it has none."""
        if prediction.label not in self.classes:
            return float("nan")
        return prediction.probabilities[self.classes.index(prediction.label)]
