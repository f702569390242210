"""How long, how fast, and which parts of the network learn when."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from wholecase.core.errors import RecipeError
from wholecase.training.augment import Augment
from wholecase.training.rates import Constant, Course
from wholecase.training.reuse import Reuse


@dataclass(frozen=True)
class Stage:
    """From an epoch on, which parts learn how fast; parts not named are frozen.

    A part is a module's name or its beginning, such as `head` or `backbone.layer4`; the longest
    name that fits a parameter counts.
    """

    start: int
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Schedule:
    """The training section of a recipe."""

    epochs: int
    optimizer: str = "adam"
    rate: float = 1e-4
    decay: float | Mapping[str, float] = 0.0
    """Weight decay, for all or per part."""
    clip_norm: float | None = None
    watch: str = "loss"
    """What early stopping looks at on the inner patients: `loss` or the name of a metric."""
    patience: int | None = None
    """Epochs without betterment before stopping; None trains to the end."""
    min_delta: float = 0.0
    validation_dropout: float = 0.0
    """Share that heads drop while inner patients are judged, by the mean of several passes."""
    stages: tuple[Stage, ...] = field(default=())
    """In any order; the first must begin at epoch 0."""
    course: Course = field(default=Constant())
    """What becomes of the rates over the epochs; runs on through the stages."""
    batchnorm: str = "frozen"
    """`frozen`: every BatchNorm stays in evaluation mode; `active`: those of learning parts wake;
    `all` leaves them to the mode of the model, for networks that start from nothing."""
    augment: Augment | None = None
    """How batches are changed while learning; judging always sees the cases as they are."""

    reuse: Reuse | None = None
    """What is kept of the outputs of parts that sleep; None computes them anew."""

    precision: str = "float32"
    """`bfloat16` learns by products of sixteen bits; weights, sums and judging keep thirty-two."""

    def __post_init__(self) -> None:
        if self.reuse is not None and self.augment is not None and self.augment.mixes:
            raise RecipeError(
                "train.reuse keeps what a network makes of each case, and mixup mixes their "
                "pixels anew in every step; remove one of them"
            )
        starts = Counter(stage.start for stage in self.stages)
        if twice := [start for start, times in starts.items() if times > 1]:
            raise RecipeError(
                f"two stages begin at epoch {twice[0]}; give each its own `from`, or put their "
                "rates into one"
            )
        if starts and min(starts) > 0:
            raise RecipeError(
                f"the first stage begins at epoch {min(starts)}, and none says what happens "
                "before; add one with `from: 0` and the parts that learn until then"
            )

    def stage(self, epoch: int) -> Stage:
        """The stage of an epoch; without stages all parts learn at `rate`."""
        begun = [stage for stage in self.stages if stage.start <= epoch]
        everything = Stage(0, {"": self.rate})
        return max(begun, key=lambda stage: stage.start, default=everything)
