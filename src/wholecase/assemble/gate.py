"""A mistake in a recipe costs a second, never a night: all of it is built once, on nothing."""

from collections.abc import Mapping, Sequence
from typing import final

from wholecase.assemble.bags import check_input
from wholecase.assemble.case_models import model_of, pixels_of
from wholecase.assemble.data import cut_of, encoder_of, labels_of
from wholecase.assemble.named import TABLES, named_in
from wholecase.assemble.parts import batches_of, of_size, schedule_of
from wholecase.assemble.trial import try_foreign
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import PixelKind
from wholecase.core.lookup import look_up, nearest
from wholecase.core.outlet import message
from wholecase.encoders import check_spacing
from wholecase.evaluation import METRICS, threshold_rule
from wholecase.models import Batch, CaseModel, layers_that_drop
from wholecase.recipes import Recipe
from wholecase.training import CALIBRATIONS, Example, Examples, Schedule, thaw

WIDTH = 8
"""Of features that nobody has yet; parts do not depend on it."""


def check_recipe(recipe: Recipe, *, weights: bool = True, kind: PixelKind | None = None) -> None:
    """Pass a recipe of which every part can be made from its settings.

    No image is opened and no weights are loaded.

    Args:
        recipe: all of it is tried.
        weights: whether the files of weights must be there too.
        kind: of the pixels, where a network learns from them and the recipe does not say.

    Raises:
        RecipeError: a part cannot be made; the sentence names the setting and what it may be.
        WeightsError: weights are not to be found.
    """
    check_input(recipe)
    _tell_refused(recipe)
    labels_of(recipe)
    _check_sight(recipe, weights=weights)
    if kind is None or recipe.model.pixels is not None:
        kind = pixels_of(recipe)
    _check_learning(recipe, kind, weights=weights)
    batches_of(of_size(recipe, 1), _Nobody(), recipe.protocol.seed)
    _check_choices(recipe)


def _tell_refused(recipe: Recipe) -> None:
    """What others call as the house calls its own is never taken, and they shall know."""
    named = set(named_in(recipe))
    for kind, table in TABLES.items():
        for part in table.refused():
            if (kind, part.name) in named:
                message(
                    f"note: the {kind} {part.name!r} of {part.origin} has the name of one of "
                    "wholecase's own, and is not used; give it another name"
                )


def _check_sight(recipe: Recipe, *, weights: bool) -> None:
    """What is read of an image, and what encodes it."""
    cut = cut_of(recipe)
    if recipe.encoder is not None:
        encoder = encoder_of(recipe)
        encoder.check(weights=weights)
        check_spacing(encoder.name, encoder.options, cut.settings)


def _check_learning(recipe: Recipe, kind: PixelKind, *, weights: bool) -> None:
    """The model, and what moves its weights in each stage."""
    width, seed = WIDTH if recipe.model.backbone is None else kind.channels, recipe.protocol.seed
    model = model_of(recipe, width, len(recipe.cohort.groups), seed, kind=kind)
    try_foreign(model, WIDTH if model.backbone is None else model.backbone.width)
    if weights:
        for network in model.networks():
            network.check_file()
    schedule = schedule_of(recipe, kind)
    if schedule.validation_dropout:
        layers_that_drop(model)
    _check_decay(model, schedule)
    for start in sorted({0, *(stage.start for stage in schedule.stages)}):
        thaw(model, schedule, start)


def _check_decay(model: CaseModel, schedule: Schedule) -> None:
    known = {name for name, _ in model.named_modules() if name}
    parts: Mapping[str, float] = schedule.decay if isinstance(schedule.decay, Mapping) else {}
    for part in parts:
        if part not in known:
            raise RecipeError(
                f"train.optimizer.decay names {part!r}, which the model lacks{nearest(part, known)}"
            )


def _check_choices(recipe: Recipe) -> None:
    """What is watched while learning, and chosen after it."""
    watch = recipe.train.early_stop.on if recipe.train.early_stop else "loss"
    if watch != "loss":
        look_up(METRICS, watch, "metric for train.early_stop.on")
    for name in recipe.evaluate.metrics:
        look_up(METRICS, name, "metric for evaluate.metrics")
    threshold_rule(recipe.choose.threshold, "rule for choose.threshold")
    known = dict.fromkeys(CALIBRATIONS)
    look_up(known, recipe.choose.calibration, "rule for choose.calibration")


@final
class _Nobody(Examples):
    """No cases, for rules that are only to be made."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> Example:
        raise IndexError(index)

    def batch(self, indices: Sequence[int]) -> Batch:
        raise IndexError(indices)

    def instances(self, index: int) -> int:
        raise IndexError(index)

    def patient(self, index: int) -> str:
        raise IndexError(index)

    def label(self, index: int) -> int | None:
        raise IndexError(index)
