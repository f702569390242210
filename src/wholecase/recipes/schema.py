"""What a recipe may say. The models are the schema; defaults stand here or in a constructor."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]*$")]
"""Of something that a recipe names itself: small letters, digits and underscores."""


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
"""Why something is as it is, in words that a reader of the report can judge."""


class Section(BaseModel):
    """A part of a recipe; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(BaseModel):
    """A thing by name, with options that are checked against its constructor."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """All but the name."""
        return dict(self.model_extra or {})


class TargetSection(Section):
    """A further label of the cases; one whose cell is empty has none, and costs nothing."""

    label: str = Field(description="column of the manifest that holds it")
    classes: dict[str, tuple[str, ...]] = Field(description="class name -> its labels")
    ignore: tuple[str, ...] = Field((), description="labels that count as none")

    @model_validator(mode="after")
    def _several(self) -> "TargetSection":
        if len(self.classes) < 2:
            raise ValueError("`classes` needs at least two classes")
        return self


class CohortSection(Section):
    """Which labels mean what."""

    label: str = Field("label", description="column of the manifest that holds the label")
    positive: tuple[str, ...] = Field((), description="labels of the positive class")
    negative: tuple[str, ...] = Field((), description="labels of the negative class")
    classes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="instead of positive and negative: class name -> its labels",
    )
    ignore: tuple[str, ...] = Field((), description="labels whose cases are left out, counted")
    targets: dict[Name, TargetSection] = Field(
        default_factory=dict,
        description="further labels, each learnt by the head of that name in model.also",
    )

    covariates: dict[str, Literal["number", "category"]] = Field(
        default_factory=dict,
        description="clinical columns of the manifest that enter as a linear term on the case's "
        "logit: column -> number or category",
        exclude_if=lambda value: not value,  # what a recipe does not say keeps its digest
    )

    counted: tuple[str, ...] = Field(
        (),
        description="further columns by whose values images are counted, where there are several "
        "magnifications; nothing learns from them, and a manifest may lack them",
        exclude_if=lambda value: not value,
    )

    @model_validator(mode="after")
    def _no_label_beside_images(self) -> "CohortSection":
        labels = {self.label, *(target.label for target in self.targets.values())}
        if given := sorted(labels & set(self.covariates)):
            raise ValueError(f"`covariates` names {given[0]!r}, which is a label: take it out")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> "CohortSection":
        two = bool(self.positive) and bool(self.negative)
        if bool(self.classes) == two or bool(self.positive) != bool(self.negative):
            raise ValueError("give either `positive` and `negative`, or `classes`")
        if self.classes and len(self.classes) < 2:
            raise ValueError("`classes` needs at least two classes")
        return self

    @property
    def groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(class name, labels) in order; with two classes the second is the positive one."""
        if self.classes:
            return tuple(self.classes.items())
        return (("/".join(self.negative), self.negative), ("/".join(self.positive), self.positive))


class Protocol(Section):
    """How patients are divided."""

    kind: Literal["nested", "holdout", "given"] = Field(
        "nested",
        description="nested cross-validation, one held-out part, or the manifest's `split` column",
    )
    folds: int = Field(5, ge=2, description="outer folds of `nested`")
    test: float = Field(0.2, gt=0, lt=1, description="share of patients held out by `holdout`")
    validation: float = Field(
        0.2, gt=0, lt=1, description="share of the training patients on which choices are made"
    )
    refit: bool = Field(
        default=False,
        description="whether the model learns once more, from training and inner patients, for "
        "the number of epochs that was best; what the first model chose stays",
        exclude_if=lambda value: not value,  # what a recipe does not say keeps its digest
    )
    inner: int = Field(
        1,
        ge=1,
        description="inner folds: epoch, temperature and threshold are chosen on the patients of "
        "all of them, each asked of a model that never learnt from them; costs so many trainings "
        "and the refit, which it needs",
        exclude_if=lambda value: value == 1,
    )
    repeats: int = Field(
        1,
        ge=1,
        description="how often all of it is done, each time with the next seed: other folds, other "
        "weights; the first is the run, the others tell the spread",
        exclude_if=lambda value: value == 1,
    )
    seed: int = Field(1, ge=0, description="of splits, weights, order and intervals")
    group: Literal["patient", "site", "image"] = Field(
        "patient",
        description="who is never on two sides; site: of outer folds of kind nested; image: no "
        "patient is kept together, as in some papers, and every figure says so",
    )

    @model_validator(mode="after")
    def _fits(self) -> "Protocol":
        if self.repeats > 1 and self.kind == "given":
            raise ValueError("`repeats` divide anew, and a `given` split stays; leave one out")
        if self.inner > 1 and not self.refit:
            raise ValueError("`inner` folds choose for a model of all patients; set `refit: true`")
        return self


class ExtractSection(Section):
    """What may go wrong while slides are read."""

    tolerated_tiles: float = Field(
        0.02, ge=0, le=1, description="share of an image's tiles that may be undecodable"
    )


class AlsoSection(Section):
    """A further head: it learns a target beside the first, which alone decides."""

    weight: float = Field(1.0, gt=0, description="factor on its loss beside the first head's")
    head: Named = Field(description="knows its loss")


class ModelSection(Section):
    """The parts of the model."""

    decide: Literal["case", "instance"] = Field(
        "case", description="aggregate then decide, or decide each instance then pool"
    )
    backbone: Named | None = Field(None, description="trainable network; none for stored features")
    input: Named | None = Field(
        None,
        description="how pixels become network input: `unit` where nothing is said, `window`, "
        "`zscore` or `imagenet`",
        exclude_if=lambda value: value is None,  # what a recipe does not say keeps its digest
    )
    pixels: str | None = Field(
        None,
        description="kind of pixels that the network learns from, in whose unit windows and "
        "augmentation are told: rgb where nothing is said, grey or ct",
        exclude_if=lambda value: value is None,
    )
    sequence: Named | None = Field(
        None,
        description="a small network along the slices of a series: `gru`",
        exclude_if=lambda value: value is None,
    )
    smoothing: float | None = Field(
        None,
        gt=0,
        description="mm: deviation of the kernel by which slices' logits are smoothed along the "
        "series, for `decide: instance`",
        exclude_if=lambda value: value is None,
    )
    aggregator: Named | None = Field(None, description="pools embeddings, for `decide: case`")
    pooling: Named | None = Field(None, description="pools logits, for `decide: instance`")
    images: Named = Field(
        Named(name="together"),
        description="several images of a case: one bag `together`, or each judged on its own and "
        "the images' logits pooled by `max` or `mean`",
    )
    head: Named = Field(description="decides, and knows its loss")
    also: dict[Name, AlsoSection] = Field(
        default_factory=dict, description="further heads, by the targets that they learn"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_idle_pool(cls, content: Any) -> Any:  # noqa: ANN401 (whatever the YAML holds)
        """What an override left without work does not stand in the recipe as if it worked."""
        idle = {"case": "pooling", "instance": "aggregator"}
        if not isinstance(content, Mapping):
            return content
        out = idle.get(content.get("decide", "case"))
        return {key: value for key, value in content.items() if key != out}

    @model_validator(mode="after")
    def _one_pool(self) -> "ModelSection":
        if self.decide == "case" and self.aggregator is None:
            raise ValueError("`decide: case` needs an `aggregator`")
        if self.decide == "instance" and self.pooling is None:
            raise ValueError("`decide: instance` needs a `pooling`")
        if self.decide == "case" and self.smoothing is not None:
            raise ValueError("`smoothing` is of the logits of slices, for `decide: instance`")
        return self


class OptimizerSection(Section):
    """How weights are moved."""

    name: str = Field("adam", description="adam, adamw or sgd")
    rate: float = Field(1e-4, gt=0, description="learning rate")
    decay: float | dict[str, float] = Field(0.0, description="weight decay, for all or per part")
    covariates: float = Field(
        1e-2,
        gt=0,
        description="learning rate of the term of cohort.covariates, where no stage names it",
        exclude_if=lambda value: value == 1e-2,
    )


class EarlyStop(Section):
    """When training ends before its last epoch."""

    on: str = Field("loss", description="`loss` or a metric, on the inner patients")
    patience: int = Field(7, ge=1, description="epochs without betterment before stopping")
    min_delta: float = Field(0.001, ge=0, description="least change that counts as betterment")


class StageSection(Section):
    """From an epoch on, which parts learn how fast; the others are frozen."""

    start: int = Field(alias="from", ge=0, description="first epoch of the stage")
    rates: dict[str, float] = Field(description="part of the model -> learning rate")


class ReuseSection(Section):
    """What is kept of the outputs of parts of a network that sleep."""

    variants: int = Field(
        4, ge=1, description="of each case that learns, where it is changed while learning"
    )
    gigabytes: float = Field(
        8.0,
        gt=0,
        description="most on disk for one fold; else fewer variants are kept, or nothing",
    )


class Train(Section):
    """How long and how fast."""

    epochs: int = Field(50, ge=1, description="most epochs")
    optimizer: OptimizerSection = OptimizerSection()
    schedule: Named = Field(
        Named(name="constant"),
        description="what becomes of all rates over the epochs: constant, plateau or cosine",
    )
    threads: int = Field(
        1, ge=1, description="of the CPU for one fold; belongs to the recipe: it changes rounding"
    )
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient")
    early_stop: EarlyStop | None = EarlyStop()
    validation_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the heads' hidden numbers that is dropped while inner patients are "
        "judged after an epoch; above 0 the mean of 10 seeded passes counts, 0 drops none",
        exclude_if=lambda value: value == 0,
    )
    stages: tuple[StageSection, ...] = Field((), description="curriculum of freezing and rates")
    batchnorm: Literal["frozen", "active", "all"] = Field(
        "frozen", description="which BatchNorm layers learn their statistics"
    )
    reuse: ReuseSection | None = Field(
        None,
        description="keep what parts of the network that sleep make of each case, so that an epoch "
        "costs what the waking parts cost",
        exclude_if=lambda value: value is None,
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="of products while learning: bfloat16 is about twice as fast where the "
        "machine has it; weights, sums and judging keep float32",
    )
    augment: dict[str, Any] = Field(
        default_factory=dict,
        description="changes while learning: of pixels flips, moved, elastic, brightness, "
        "contrast, colour, blur, noise, erasing, and by_class what differs; of pixels or stored "
        "features mixup",
    )


class Choose(Section):
    """What is set on inner patients after training."""

    threshold: str = Field(
        "smoothed_balanced",
        description="rule: smoothed_balanced, smoothed_f1, f1, swept_f1 (0.05 to 0.95 by 0.01), "
        "youden, half (0.5), or a target: sensitivity>=0.95, specificity>=0.9, cost=5 (a missed "
        "case costs as much as five false alarms)",
    )
    calibration: str = Field(
        "bias_corrected",
        description="bias_corrected (a temperature, and of two classes a shift), smoothed (a "
        "temperature, near 1 where patients are few), temperature or none",
    )


class BaselineSection(Section):
    """A network to hold the recipe against: the recipe's own, less what makes it the recipe."""

    scales: tuple[float, ...] = Field(
        (), description="magnifications that it is shown, in learning and judging; none for all"
    )
    aggregator: Named | None = Field(
        None, description="instead of model.aggregator, such as mean or concatenated"
    )

    @model_validator(mode="after")
    def _differs(self) -> "BaselineSection":
        if not self.scales and self.aggregator is None:
            raise ValueError("a baseline needs `scales` or an `aggregator`, or it is the recipe")
        return self


class Evaluate(Section):
    """How results are told."""

    bootstrap: int = Field(2000, ge=100, description="resamples of patients behind each interval")
    pictures: int = Field(200, ge=0, description="most cases with pictures, worst errors first")
    metrics: tuple[str, ...] = Field(
        (),
        description="metrics of other packages that are told beside the house's own",
        exclude_if=lambda value: not value,
    )
    muted: dict[str, Reason] = Field(
        default_factory=dict, description="code of a check that need not pass -> why"
    )
    baselines: dict[Name, BaselineSection] = Field(
        default_factory=dict,
        description="networks that `--baselines` trains from the pixels on the run's own folds, "
        "by name",
        exclude_if=lambda value: not value,
    )


class Recipe(Section):
    """One of each, with sampling, schedule and evaluation."""

    recipe: str = Field(description="its name")
    title: str = Field("", description="a heading for the report")
    parts: tuple[str, ...] = Field(
        (),
        description="modules, `.py` files or packages whose parts the recipe may name; an "
        "installed package need not be listed, and is, with its version, where a run is written",
        exclude_if=lambda value: not value,  # what a recipe does not say keeps its digest
    )
    cohort: CohortSection
    protocol: Protocol = Protocol()
    cut: Named = Field(description="how images become instances")
    encoder: Named | None = Field(None, description="frozen network; none where pixels are learnt")
    extract: ExtractSection = ExtractSection()
    model: ModelSection
    batches: Named = Field(Named(name="shuffled"), description="which cases meet in a batch")
    views: Named | None = Field(
        None,
        description="draws of instances that a case is learnt and judged by, `flips` its pixels "
        "mirrored while judging; none takes all as they are",
    )
    train: Train = Train()
    choose: Choose = Choose()
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _a_head_for_each_target(self) -> "Recipe":
        targets, heads = set(self.cohort.targets), set(self.model.also)
        if "label" in targets | heads:
            raise ValueError("`label` is what the first head learns; call a further target by name")
        if lone := sorted(targets - heads):
            raise ValueError(f"no head learns cohort.targets.{lone[0]}; add it to model.also")
        if lone := sorted(heads - targets):
            raise ValueError(f"model.also.{lone[0]} learns nothing; add it to cohort.targets")
        return self
