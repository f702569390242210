"""Where cases are compared, the same model taught to classify directly: what comparing must beat.

The adapter of the head is kept, and a layer of logits put on it; it learns by cross-entropy with
label smoothing, on the same cases, batches, epochs and rates. Where pixels are learnt from they are
changed strongly.
"""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wholecase.answer import Judgement
from wholecase.cohort import Cohort
from wholecase.core.kinds import RGB
from wholecase.experiment.folds import learn_folds
from wholecase.experiment.outer import Bench, judge_bare
from wholecase.experiment.results import write_predictions
from wholecase.models import HEADS
from wholecase.recipes import Named, Recipe

DIRECT = "direct"
"""Its name in `metrics.json`."""
SMOOTHING = 0.1
STRONG: dict[str, Any] = {
    "flips": True,
    "moved": {"degrees": 15, "shift": 0.05},
    "contrast": [0.7, 1.4],
    "erasing": {"chance": 0.5, "largest": 0.2},
}
OF_COLOUR: dict[str, Any] = {
    "brightness": 0.15,
    "colour": {"saturation": 0.3, "hue": 0.02},
    "blur": 1.0,
}
"""Of pixels with colours: other kinds have a unit of their own."""


def direct_recipe(recipe: Recipe) -> Recipe:
    """The recipe with another head, and strong changes of pixels beside its own."""
    head, train = recipe.model.head, recipe.train
    known = inspect.signature(HEADS[head.name]).parameters
    adapter = {name: head.options.get(name, known[name].default) for name in ("hidden", "size")}
    direct = Named(
        name="multiclass",
        hidden=[*adapter["hidden"], adapter["size"]],
        dropout=head.options.get("dropout", known["dropout"].default),
        smoothing=SMOOTHING,
    )
    model = recipe.model.model_copy(update={"head": direct})
    if recipe.model.backbone is not None:
        colours = OF_COLOUR if recipe.model.pixels in (None, RGB.name) else {}
        train = train.model_copy(update={"augment": {**STRONG, **colours, **train.augment}})
    return recipe.model_copy(update={"model": model, "train": train})


def judged_directly(bench: Bench, cohort: Cohort) -> Sequence[Judgement]:
    """What the direct models say of every test case, learnt on the run's folds and kept beside it.

    Nothing where the run itself classifies directly.
    """
    if not HEADS[bench.recipe.model.head.name].remembers:
        return ()
    direct = replace(bench, recipe=direct_recipe(bench.recipe), run=bench.run.direct)
    learn_folds([direct], cohort, [{"baseline": DIRECT}])
    judged = judge_bare(direct)
    write_predictions(direct.run.predictions, judged, direct.classes)
    return judged
