"""Networks that learn from the pixels beside a run, on its folds, to hold it against.

Each is the run's recipe with fewer magnifications or another aggregator, as `evaluate.baselines`
says: the same network, epochs, batches and seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from wholecase.answer import Judgement
from wholecase.assemble import check_recipe
from wholecase.cohort import Case, Cohort, Fold
from wholecase.core.errors import RecipeError, SplitError
from wholecase.core.files import read_json
from wholecase.experiment.folds import learn_folds
from wholecase.experiment.outer import Bench, judge_bare
from wholecase.experiment.results import write_predictions
from wholecase.recipes import Recipe
from wholecase.recipes import check_recipe as check_content

TRAINED = "trained_"
"""How their names begin in `metrics.json`."""


@dataclass(frozen=True)
class _Rival:
    """A baseline: its bench, and the test cases that have nothing to show it."""

    bench: Bench
    blind: Mapping[int, tuple[Case, ...]]
    """By fold."""


def rival_recipes(recipe: Recipe) -> dict[str, Recipe]:
    """The recipe of each baseline.

    Raises:
        RecipeError: its aggregator cannot be made.
    """
    made = {}
    for name, section in recipe.evaluate.baselines.items():
        content = recipe.model_dump(mode="json", by_alias=True)
        content["evaluate"].pop("baselines")
        if section.aggregator is not None:
            content["model"]["aggregator"] = section.aggregator.model_dump(mode="json")
        made[name] = check_content(content, f"{recipe.recipe}, evaluate.baselines.{name}")
    return made


def check_rivals(recipe: Recipe) -> None:
    """Pass a recipe whose baselines can be made; a mistake should not cost a night.

    Raises:
        RecipeError: one of them cannot.
    """
    for name, own in rival_recipes(recipe).items():
        try:
            check_recipe(own, weights=False)
        except RecipeError as error:
            raise RecipeError(f"evaluate.baselines.{name}: {error}") from error


def trained_baselines(bench: Bench, cohort: Cohort) -> dict[str, list[Judgement]]:
    """By name what each baseline says of the run's test cases, in the order of the manifest.

    Its predictions are written beside the run. A case without an image that it could be shown gets
    the shares of the classes among those who taught it.

    Raises:
        RecipeError: nobody has the magnifications of one.
    """
    rivals = {
        f"{TRAINED}{name}": _rival(bench, name, own)
        for name, own in rival_recipes(bench.recipe).items()
    }
    benches = [rival.bench for rival in rivals.values()]
    learn_folds(benches, cohort, [{"baseline": name} for name in rivals])
    said = {name: _said(rival, bench.cases) for name, rival in rivals.items()}
    for name, rival in rivals.items():
        write_predictions(rival.bench.run.predictions, said[name], bench.classes)
    return said


def _rival(bench: Bench, name: str, recipe: Recipe) -> _Rival:
    scales = bench.recipe.evaluate.baselines[name].scales
    try:
        folds = tuple(_shown_fold(fold, scales) for fold in bench.folds)
    except SplitError as error:
        told = ", ".join(f"{scale:g}" for scale in scales)
        raise RecipeError(
            f"evaluate.baselines.{name} is shown magnification {told} alone, and {error}; take it "
            "out, or give magnifications that patients have"
        ) from error
    own = replace(
        bench,
        recipe=recipe,
        run=bench.run.baseline(name),
        folds=folds,
        cases=tuple(_shown(bench.cases, scales)),
    )
    blind = {
        fold.number: tuple(case for case in fold.test if not any(_shown([case], scales)))
        for fold in bench.folds
    }
    return _Rival(own, blind)


def _shown_fold(fold: Fold, scales: Sequence[float]) -> Fold:
    sides = {name: tuple(_shown(cases, scales)) for name, cases in fold.sides().items()}
    return replace(fold, train=sides["train"], valid=sides["valid"], test=sides["test"])


def _shown(cases: Sequence[Case], scales: Sequence[float]) -> Iterator[Case]:
    """The cases with their images of these magnifications; without those that have none."""
    for case in cases:
        images = [i for i in case.images if not scales or i.magnification in scales]
        if images:
            yield replace(case, images=tuple(images))


def _said(rival: _Rival, cases: Sequence[Case]) -> list[Judgement]:
    """Of all test cases; those that are judged stand as the run has them, with all images."""
    whole = {case.id: case for case in cases}
    said = {one.case.id: one for one in judge_bare(rival.bench)}
    for fold in rival.bench.folds:
        said |= {one.case.id: one for one in _unseen(rival, fold)}
    judged = (said[case.id] for case in cases if case.id in said)
    return [replace(one, case=whole[one.case.id].judged) for one in judged]


def _unseen(rival: _Rival, fold: Fold) -> Iterator[Judgement]:
    """By the shares of the classes in training, cut where the fold's model is."""
    classes = rival.bench.classes
    counts = np.bincount([case.target or 0 for case in fold.train], minlength=len(classes))
    shares: Float[np.ndarray, " C"] = counts / counts.sum()
    threshold = read_json(rival.bench.run.fold(fold.number).choices).get("threshold")
    decision = int(shares.argmax()) if threshold is None else int(shares[1] >= threshold)
    for case in rival.blind[fold.number]:
        yield Judgement(case, classes, fold.number, shares, shares, decision)
