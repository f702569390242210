"""Do the fold models look at the same tiles? Each is asked about every case that was judged.

All but one of them have seen the patient, in training or while choosing. So what they say here is
told and compared, and enters no choice and no metric of performance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from wholecase.answer import judge_cases, read_choices
from wholecase.assemble import model_of
from wholecase.cohort import Case, Fold
from wholecase.core.progress import progress
from wholecase.core.seeds import generator, seed_of
from wholecase.evaluation import Interval, mean_interval
from wholecase.execution import each
from wholecase.experiment.fold import MOST_EXPLAINED, Outcome
from wholecase.explain import SCALES, read_evidence
from wholecase.extract import Extraction
from wholecase.models import load_model
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder, write_rows

MOST_CASES = 1000
"""Of a larger run so many cases, drawn by its seed: their mean is sure enough."""
LEAST_INSTANCES = 3
"""Of two instances, the orders agree or they do not."""


@dataclass(frozen=True)
class Panel:
    """The trained fold models of a run, and what is needed to ask them."""

    recipe: Recipe
    extraction: Extraction
    classes: tuple[str, ...]
    run: RunFolder
    folds: tuple[Fold, ...]
    device: str = "cpu"
    workers: int = 0


@dataclass(frozen=True)
class Asking:
    """One fold model and the cases that others judged; travels to a worker process."""

    panel: Panel
    fold: int
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Opinion:
    """What one fold model says of one case."""

    case: Case
    fold: int
    probabilities: tuple[float, ...]
    """Calibrated by its own temperature."""
    correlation: float | None = None
    """Of its attention with that of the model that judged the case; None where undefined."""


@dataclass(frozen=True)
class Stability:
    """How alike the fold models look."""

    interval: Interval | None = None
    """Mean rank correlation over cases, by patient; None where no case has one."""
    notes: tuple[str, ...] = ()


def write_stability(panel: Panel, outcomes: Sequence[Outcome]) -> Stability:
    """Ask all fold models about the judged cases, and write `stability.csv`.

    A row is a case and a fold model; `seen` says whether it trained or chose on the patient. A run
    of one fold has nothing to compare, and no file.
    """
    if len(panel.folds) < 2:
        return Stability()
    seed = panel.recipe.protocol.seed
    asked = _drawn(outcomes, seed)
    told = {o.case.id: [Opinion(o.case, o.fold, o.probabilities)] for o in asked}
    notes = _ask_others(panel, asked, told)
    _write(panel, told)
    if len(asked) < len(outcomes):
        notes.append(
            f"How alike the fold models look was measured on {len(asked)} of the {len(outcomes)} "
            "judged cases, drawn by the seed."
        )
    means = np.array([_mean(opinions) for opinions in told.values()], dtype=np.float64)
    if np.isnan(means).all():
        return Stability(None, tuple(notes))
    patients = tuple(outcome.case.patient for outcome in asked)
    repeats = panel.recipe.evaluate.bootstrap
    interval = mean_interval(means, patients, repeats=repeats, seed=seed_of(seed, "stability"))
    return Stability(interval, tuple(notes))


def rank_correlation(one: Float[np.ndarray, " N"], other: Float[np.ndarray, " N"]) -> float | None:
    """Spearman's, equal weights sharing a rank; None for constant weights or too few instances.

    >>> rank_correlation(np.array([0.1, 0.2, 0.7]), np.array([0.2, 0.3, 0.5]))
    1.0
    """
    if len(one) < LEAST_INSTANCES or not np.ptp(one) or not np.ptp(other):
        return None
    a, b = (SCALES["rank"](weights).values - 0.5 for weights in (one, other))  # of mean 0
    return round(float(a @ b / np.sqrt((a @ a) * (b @ b))), 12)


def ask_fold(asking: Asking) -> list[Opinion]:
    """What a fold's model says of cases that other models judged."""
    panel = asking.panel
    # as many threads as the recipe says: a matrix product split differently rounds differently
    torch.set_num_threads(panel.recipe.train.threads)
    large = (fold for fold in panel.folds if len(fold.test) > MOST_EXPLAINED)
    unexplained = {case.id for fold in large for case in fold.test}
    folder = panel.run.fold(asking.fold)
    model = model_of(panel.recipe, panel.extraction.width, len(panel.classes), seed=0)
    load_model(folder.model, model)
    choices = read_choices(folder)
    opinions = []
    model = model.to(panel.device).eval()
    for judged in judge_cases(model, asking.cases, panel.extraction, maps=False):
        case, calibrated = judged.case, choices.calibrated(judged.probabilities[None])[0]
        found = None
        if case.id not in unexplained:
            both = judged.evidence, read_evidence(panel.run.evidence(case.id))
            found = rank_correlation(*(told.weights.mean(1).astype(np.float64) for told in both))
        opinions.append(Opinion(case, asking.fold, tuple(calibrated.tolist()), found))
    return opinions


def _drawn(outcomes: Sequence[Outcome], seed: int) -> list[Outcome]:
    """All, or as many as are asked about, in their order."""
    if len(outcomes) <= MOST_CASES:
        return list(outcomes)
    drawn = generator(seed, "stability", "cases").permutation(len(outcomes))[:MOST_CASES]
    return [outcomes[i] for i in sorted(drawn.tolist())]


def _ask_others(
    panel: Panel, asked: Sequence[Outcome], told: Mapping[str, list[Opinion]]
) -> list[str]:
    """Add the opinions of the models that did not judge a case; returns notes on failures."""
    askings = [
        Asking(panel, fold.number, tuple(o.case for o in asked if o.fold != fold.number))
        for fold in panel.folds
    ]
    # models on one accelerator would only take turns
    workers = min(panel.workers, len(askings)) if panel.device == "cpu" else 0
    failed: dict[int, str] = {}
    with progress("comparing", len(askings), "folds") as advance:
        for done in each(ask_fold, askings, workers=workers):
            for opinion in done.result or ():
                told[opinion.case.id].append(opinion)
            if done.error is not None:
                failed[done.item.fold] = str(done.error)
            advance()
    for opinions in told.values():
        opinions.sort(key=lambda opinion: opinion.fold)
    return [
        f"The model of fold {fold} could not be asked about the cases of other folds "
        f"({failed[fold]}); how alike the fold models look was measured without it."
        for fold in sorted(failed)
    ]


def _mean(opinions: Sequence[Opinion]) -> float:
    found = [opinion.correlation for opinion in opinions if opinion.correlation is not None]
    return sum(found) / len(found) if found else float("nan")


def _write(panel: Panel, told: Mapping[str, list[Opinion]]) -> None:
    named = [f"probability_{name}" for name in panel.classes]
    columns = ["case_id", "patient_id", "fold", "seen", *named, "rank_correlation"]
    write_rows(panel.run.stability, columns, _rows(panel, told, named))


def _rows(
    panel: Panel, told: Mapping[str, list[Opinion]], named: Sequence[str]
) -> Iterator[dict[str, object]]:
    seen = {f.number: {case.patient for case in (*f.train, *f.valid)} for f in panel.folds}
    for opinion in (opinion for opinions in told.values() for opinion in opinions):
        found = opinion.correlation
        yield {
            "case_id": opinion.case.id,
            "patient_id": opinion.case.patient,
            "fold": opinion.fold,
            "seen": int(opinion.case.patient in seen[opinion.fold]),
            **dict(zip(named, (f"{p:.8f}" for p in opinion.probabilities), strict=True)),
            "rank_correlation": None if found is None else f"{found:.6f}",
        }
