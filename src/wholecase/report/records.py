"""The parts of a run folder as frozen values: rows of its tables, pieces of its JSON."""

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
    reason: str = ""
    """Why there is no interval, where the run tells."""
    held: tuple[float, int, int] | None = None
    """Share of drawn cohorts in which such an interval held the truth, their number and size."""


@dataclass(frozen=True)
class CheckRecord:
    """A question that the run was asked about itself."""

    code: str
    title: str
    severity: str
    """`error`, `warning` or `remark`, of a run that fails it."""
    state: str
    """`passed`, `failed`, `muted` or `not applicable`."""
    sentence: str
    reason: str
    """Why it is muted."""


@dataclass(frozen=True)
class Subgroup:
    """The cases with one value of a column."""

    value: str
    patients: int
    cases: int
    metrics: Mapping[str, Measured]
    """Empty of few patients."""


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
    p_positive: float | None = None
    """Mean probability of the inner patients' positives; None unless of two classes."""
    p_negative: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    """What heads that compare cases tell: `active_triplets`, `embedding_distance` and so on."""


@dataclass(frozen=True)
class PlacedCase:
    """A case on the plane of an embedding."""

    case: str
    is_test: bool
    """Else it taught the model."""
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class EmbeddingMap:
    """Where the cases of a fold lie among each other."""

    fold: int
    explained: tuple[float, ...]
    """Share of the variance of the training cases along each of the two axes."""
    cases: tuple[PlacedCase, ...]


@dataclass(frozen=True)
class InnerCase:
    """An inner case that a fold's choices were made on, with its calibrated probabilities."""

    case: str
    label: str
    probabilities: tuple[float, ...]


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
    inner: tuple[InnerCase, ...] = ()
    """Empty where the run did not keep them."""

    @property
    def threshold(self) -> float | None:
        """The decision threshold, chosen on inner patients; None with more than two classes."""
        value = self.choices.get("threshold")
        return float(value) if isinstance(value, int | float) else None

    @property
    def threshold_ends(self) -> tuple[float, float] | None:
        """Where redraws of the inner patients would have put it; None where the run kept none."""
        low, high = (self.choices.get(f"threshold_{end}") for end in ("low", "high"))
        if not isinstance(low, int | float) or not isinstance(high, int | float):
            return None
        return float(low), float(high)

    @property
    def threshold_gain(self) -> float | None:
        """What the rule looks at, at the threshold less at one half; None where not kept."""
        at, half = (self.choices.get(f"threshold_{key}") for key in ("score", "score_at_half"))
        if not isinstance(at, int | float) or not isinstance(half, int | float):
            return None
        return float(at) - float(half)

    @property
    def temperature(self) -> float:
        """What the fold's log probabilities were divided by; 1 where nothing was done."""
        value = self.choices.get("temperature")
        return float(value) if isinstance(value, int | float) and value > 0 else 1.0

    @property
    def shift(self) -> tuple[float, ...]:
        """What was added to the fold's log probabilities then, by class; none where nothing was."""
        values = self.choices.get("shift") or ()
        return tuple(float(value) for value in values)


@dataclass(frozen=True)
class Opinion:
    """What one fold's model says of a judged case."""

    fold: int
    has_seen: bool
    """Whether it learned from this patient, or was chosen on them."""
    probabilities: tuple[float, ...]
    agreement: float | None
    """Rank correlation of its attention with that of the model that judged; None for that one."""


@dataclass(frozen=True)
class SliceRecord:
    """One slice of a series, and what it has to do with the answer."""

    number: int
    """Within its series, from 1."""
    of: int
    series: int | None
    """Which image of the case, from 1; None where there is one, or where each is a slice."""
    position_mm: float | None
    probability: float | None
    """Of the slice alone; of the positive class of two, of several of the class decided on."""
    weight: float
    rank: int
    """1 has most to do with the answer."""
    picture: Path | None = None
    marked: bool = False
    """Whether a person marked the finding in it."""

    @property
    def decides(self) -> bool:
        """Whether the answer would be another without it."""
        return self.weight > 0


@dataclass(frozen=True)
class HeatKey:
    """What the colours of a heatmap say in numbers."""

    says: str
    ticks: tuple[tuple[float, str], ...]
    """Place on the scale, 0 to 1, and its number."""
    colours: tuple[str, ...]
    """At even steps from 0 to 1, as CSS takes them."""


@dataclass(frozen=True)
class CasePictures:
    """Picture files of one case; a path is None where there is no such file."""

    thumbnail: Path | None
    heatmap: Path | None
    tiles: tuple[Path, ...]
    """The instances of greatest weight."""
    localisation_auc: float | None
    least: tuple[Path, ...] = ()
    """The instances of least weight."""
    maps: tuple[tuple[str, Path], ...] = ()
    """Where within an instance, by the method's name; of models that see pixels."""
    slices: tuple[SliceRecord, ...] = ()
    """Of a series the slices that have most to do with the answer, each with its picture."""
    series: tuple[SliceRecord, ...] = ()
    """Its slices in their order, evenly thinned where there are very many."""
    sheet: Path | None = None
    """Their pictures, in rows."""
    columns: int = 1
    """Slices in a row of the sheet."""
    scales: Path | None = None
    """Where a model that sees pixels looked at each magnification, in a row."""
    heat: HeatKey | None = None
    """What the colours of the heatmap say."""


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
class NearCase:
    """A known case that voted on another."""

    case: str
    label: str
    distance: float
    """Between unit vectors, 0 to 2."""


@dataclass(frozen=True)
class Novelty:
    """How far a judged case lies from those that its model learnt from."""

    percentile: float | None
    """The share of inner cases that lie nearer; None where there are none."""
    is_unlike: bool


@dataclass(frozen=True)
class MarkedSlices:
    """Of a series with a mask how many slices show the finding, and where the first of them is."""

    lesions: int
    slices: int
    first_rank: int
    """By what each has to do with the answer."""


@dataclass(frozen=True)
class Baseline:
    """A plain model on the same folds."""

    metrics: Mapping[str, Measured]
    difference: Mapping[str, Measured]
    """Of the run's metrics from these, paired by patient."""
    chance: Mapping[str, float | None] = field(default_factory=dict)
    """p of `accuracy` (McNemar) and `auroc` (DeLong): how likely chance alone differs so."""


@dataclass(frozen=True)
class ImagesAlone:
    """How well images are decided that are judged alone."""

    recognition_rate: Measured
    """Mean over patients of the share of their images that are decided rightly."""
    image_accuracy: Measured
    images: int
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    """Each image counted once."""


@dataclass(frozen=True)
class Scale:
    """What the fold models learnt of a magnification, and what they lose without its views."""

    shares: tuple[float, ...]
    """Learnt importance, fold by fold."""
    lost: Measured
    """AUROC less that with the views of other patients."""
    repeats: tuple[float, ...] = ()
    """Means over the folds, repeat by repeat; empty where the run was made once."""


@dataclass(frozen=True)
class ImageCounts:
    """Images by magnification, for the values of one thing."""

    counted: str
    """`images`, `images by label` and the like."""
    powers: tuple[str, ...]
    """Heads of the columns, such as `40x`."""
    rows: tuple[tuple[str, ...], ...]
    """Value, patients, patients with all magnifications, and images at each."""


@dataclass(frozen=True)
class Repeated:
    """A metric over repeats of the run with other seeds, the run included."""

    mean: float
    deviation: float
    low: float
    """The least of the repeats; no end of an interval."""
    high: float


@dataclass(frozen=True)
class TissueRecord:
    """What was taken as tissue on one slide."""

    case: str
    image: str
    """Name of the file."""
    picture: Path | None
    instances: int
    """Tiles that were kept; 0 where no tissue was found."""
    squares: int
    """Of so many these were chosen; 0 where all were taken."""
