"""Warnings of a run: what went wrong while learning, where, and what in this recipe to change."""

import inspect
from collections.abc import Iterator, Sequence

from wholecase.answer import Judgement
from wholecase.experiment.outer import Bench
from wholecase.experiment.troubles import Kind, Trouble, missed, troubles_of
from wholecase.models import HEADS
from wholecase.models.heads.metric_losses import SOFT, TRIPLETS
from wholecase.recipes import Recipe

WORDS: dict[Kind, str] = {
    "collapse": "The probabilities of the inner patients fell to 0",
    "missed": "No positive case is called positive at the chosen threshold",
    "swings": "The inner loss swings from epoch to epoch",
    "gap": "The training loss is far below the inner one, as where cases are learnt by heart",
    "together": "All training cases drew together in one point of the embedding, and learning was "
    "stopped",
    "perfect": "The inner score is perfect, on few patients",
}


def troubles_told(bench: Bench, judged: Sequence[Judgement]) -> dict[Kind, str]:
    """A sentence for each kind of trouble: the folds and epochs, then what to try."""
    found = [
        trouble
        for fold in bench.folds
        for trouble in troubles_of(bench.run.fold(fold.number), fold.number, bench.classes)
    ]
    found += _missed_when_judged(judged, len(bench.classes))
    several = len({one.case.patient for one in judged}) < len(judged)
    told: dict[Kind, str] = {}
    for kind, words in WORDS.items():
        if own := [trouble for trouble in found if trouble.kind == kind]:
            where = _where(own)
            cures = "; ".join(cures_for(kind, bench.recipe, _begin(own), several=several))
            told[kind] = f"{words} ({where}). What may help: {cures}."
    return told


def _where(troubles: Sequence[Trouble]) -> str:
    """Where they were; folds of which the same is told are named together."""
    places: dict[str, list[str]] = {}
    for trouble in troubles:
        place, _, fact = trouble.where.partition(": ")
        places.setdefault(fact, []).append(place)
    return "; ".join(
        ", ".join(named) + (f": {fact}" if fact else "") for fact, named in places.items()
    )


def cures_for(kind: Kind, recipe: Recipe, epoch: int, *, several: bool = False) -> list[str]:
    """What to change, by the names and values of the recipe's settings.

    Args:
        kind: of the trouble.
        recipe: as it was run.
        epoch: where the trouble begins; its stage has the rates that are named.
        several: whether patients have several cases.
    """
    if kind == "missed":
        return [*_balanced(recipe), *_weighed(recipe), *_changed_less(recipe)]
    if kind == "gap":
        return [*_held_back(recipe), *_changed_more(recipe)]
    if kind == "together":
        return [_slower(recipe, epoch), *_compared_softer(recipe)]
    if kind == "perfect":
        return list(_asked_more(recipe))
    clip = recipe.train.clip_norm
    cures = [_slower(recipe, epoch), *_asleep(recipe, epoch)]
    cures.append("set train.clip_norm=1.0" if clip is None else f"lower train.clip_norm ({clip:g})")
    if kind == "swings" and recipe.model.backbone and recipe.train.batchnorm != "frozen":
        cures.append(f"set train.batchnorm=frozen (now {recipe.train.batchnorm})")
    if kind == "collapse":
        cures += _balanced(recipe)
        if several:
            cures.append("patients have several cases, and the loss counts cases: join them")
    return cures


def _begin(troubles: Sequence[Trouble]) -> int:
    return min(trouble.epoch for trouble in troubles)


def _missed_when_judged(judged: Sequence[Judgement], classes: int) -> Iterator[Trouble]:
    if classes != 2:
        return
    for number in sorted({int(one.judge) for one in judged}):
        own = [one for one in judged if int(one.judge) == number]
        truth = [one.case.target == 1 for one in own]
        if missed(truth, [one.decision == 1 for one in own]):
            yield Trouble("missed", f"{sum(truth)} test positives of fold {number}", 0)


def _slower(recipe: Recipe, epoch: int) -> str:
    stages = [stage for stage in recipe.train.stages if stage.start <= epoch]
    if not stages:
        return f"lower train.optimizer.rate ({recipe.train.optimizer.rate:g})"
    stage = max(stages, key=lambda stage: stage.start)
    rates = ", ".join(f"{part} {rate:g}" for part, rate in stage.rates.items())
    return f"lower the rates from epoch {stage.start} in train.stages ({rates})"


def _compared_softer(recipe: Recipe) -> Iterator[str]:
    """What keeps triplets from drawing all cases together: gentler ones, and more of them."""
    head, batches = recipe.model.head.options, recipe.batches.options
    if head.get("loss", TRIPLETS) == TRIPLETS:
        later = f"raise model.head.hard_from ({_hard_from(recipe)})"
        yield f"take semi-hard triplets for longer: {later}"
        if head.get("margin") != SOFT:
            yield f"set model.head.margin=soft (now {head.get('margin') or 0.5:g})"
    if recipe.batches.name == "classes":
        yield f"compare more cases in a step: raise batches.cases ({batches.get('cases', 4)})"


def _hard_from(recipe: Recipe) -> int:
    known = inspect.signature(HEADS[recipe.model.head.name]).parameters["hard_from"]
    return int(recipe.model.head.options.get("hard_from", known.default))


def _asleep(recipe: Recipe, epoch: int) -> Iterator[str]:
    """Only a network that is learnt has anything to freeze."""
    if recipe.model.backbone is None:
        return
    woken = [
        part
        for stage in recipe.train.stages
        if stage.start <= epoch
        for part in stage.rates
        if part.startswith("backbone")
    ]
    if woken:
        yield f"let {', '.join(dict.fromkeys(woken))} sleep longer, or for good, in train.stages"
    elif not recipe.train.stages:
        yield "let the backbone sleep at first, by train.stages"


def _balanced(recipe: Recipe) -> Iterator[str]:
    options = recipe.batches.options
    if recipe.batches.name == "patients":
        positive, negative = options.get("positive", 2), options.get("negative", 3)
        yield f"raise batches.positive ({positive}) against batches.negative ({negative})"
    elif recipe.batches.name == "shuffled" and options.get("balance", "none") == "none":
        yield "draw both classes as often: batches.balance=class (now none)"


def _weighed(recipe: Recipe) -> Iterator[str]:
    head = recipe.model.head
    options = inspect.signature(HEADS[head.name]).parameters
    if "positive_weight" in options and head.options.get("class_weights") is None:
        yield f"raise model.head.positive_weight ({head.options.get('positive_weight', 1.0):g})"
    elif "class_weights" in options and head.options.get("class_weights") is None:
        yield "set model.head.class_weights=balanced"


def _held_back(recipe: Recipe) -> Iterator[str]:
    """What keeps a model from knowing its cases: dropout, decay, fewer steps."""
    for part, named in (("head", recipe.model.head), ("aggregator", recipe.model.aggregator)):
        if named is not None and "dropout" in named.options:
            yield f"raise model.{part}.dropout ({named.options['dropout']:g})"
    yield f"raise train.optimizer.decay ({recipe.train.optimizer.decay})"
    if (stop := recipe.train.early_stop) is not None and stop.on != "loss":
        yield f"keep the epoch of the least inner loss: train.early_stop.on=loss (now {stop.on})"


def _changed_more(recipe: Recipe) -> Iterator[str]:
    if recipe.model.backbone is not None:
        yield "let the backbone sleep, by train.stages, or begin from weights"
        if not recipe.train.augment:
            yield "change what is learnt: train.augment (now nothing)"
    elif "mixup" not in recipe.train.augment:
        yield "mix cases: train.augment.mixup=0.2 (now none)"


def _asked_more(recipe: Recipe) -> Iterator[str]:
    """More patients to choose on, and the same experiment by other divisions."""
    protocol = recipe.protocol
    if protocol.inner < 2:
        yield "choose on every training patient in turn: protocol.refit=true protocol.inner=3"
    else:
        yield f"raise protocol.inner ({protocol.inner})"
    yield "see how far other divisions move it, by protocol.repeats"
    yield "believe the outer figure with its interval, not the inner one"


def _changed_less(recipe: Recipe) -> Iterator[str]:
    augment = recipe.train.augment
    if "positive" in augment.get("by_class", {}):
        yield "change positives less: train.augment.by_class.positive"
    elif augment:
        yield f"change what is learnt less: train.augment ({', '.join(augment)})"
