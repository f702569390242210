"""What an answer loses when the views of one magnification are those of another patient.

The learnt importance says how views are mixed; this says what the answers rest on (permutation
importance, Breiman 2001; Fisher 2019), by fold models on patients that they have not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wholecase.answer import FoldModel, Judgement, load_fold, read_case, scores_of
from wholecase.assemble import views_of
from wholecase.cohort import Fold
from wholecase.core.errors import RunError
from wholecase.core.kinds import RGB
from wholecase.core.progress import progress
from wholecase.core.seeds import generator, seed_of
from wholecase.evaluation import Interval, mean_drop
from wholecase.execution import parallel_map
from wholecase.experiment.outer import Bench
from wholecase.models import predict
from wholecase.models.aggregators import CrossMagnification
from wholecase.models.scales import is_of_scale
from wholecase.training import Example, pack, past

TIMES = 10
"""So often the views are dealt anew; the mean counts."""
METRIC = "auroc"
NAMES = "names"
"""Key of the trial in which the views of a case keep their pictures and swap their scales."""


@dataclass(frozen=True)
class _Asked:
    """What a fold's model says of its test cases, by what was exchanged, each time anew."""

    cases: tuple[str, ...]
    rows: Mapping[str, Float[np.ndarray, "times M C"]]


def lost_without(bench: Bench, judged: Sequence[Judgement]) -> dict[str, Interval]:
    """By scale the AUROC of the answers less that with its views exchanged; and of `names`.

    Each test case is asked again by its own fold's model, with the views of one scale taken from
    another test patient of the fold that has it, whatever the label; under `names` the views of a
    case swap their scales. Views go through the network once. The interval is by patient, of those
    that are judged: whose views they are given is drawn `TIMES` times. Empty without an
    aggregator that knows the scales.
    """
    named = bench.recipe.model.aggregator
    if named is None or named.name != "cross_magnification" or len(bench.classes) < 2:
        return {}
    asked: list[_Asked] = []
    with progress("exchanging views", len(bench.folds), "folds") as advance:
        crew = bench.place.crew(len(bench.folds))
        for done in parallel_map(partial(_asked, bench), bench.folds, workers=crew):
            if done.result is None:
                raise done.error or RunError("a worker gave no answer; run again")
            asked.append(done.result)
            advance()
    return {what: _lost(bench, judged, asked, what) for what in asked[0].rows}


def _lost(
    bench: Bench, judged: Sequence[Judgement], asked: Sequence[_Asked], what: str
) -> Interval:
    said = scores_of(judged)
    others = []
    for number in range(TIMES):
        rows = {c: one.rows[what][number, m] for one in asked for m, c in enumerate(one.cases)}
        told = np.stack([rows[one.case.id] for one in judged])
        others.append(replace(said, probabilities=told))
    seed = seed_of(bench.recipe.protocol.seed, "exchanged", what)
    return mean_drop(said, others, METRIC, repeats=bench.recipe.evaluate.bootstrap, seed=seed)


def _asked(bench: Bench, fold: Fold) -> _Asked:
    torch.set_num_threads(bench.recipe.train.threads)
    takes = bench.extraction.width, bench.extraction.kind or RGB
    member = load_fold(bench.run, fold.number, bench.recipe, takes, bench.place.device)
    pool = member.model.pool
    assert isinstance(pool, CrossMagnification), "the recipe names it"  # noqa: S101
    cases = [past(member.model, read_case(c, bench.extraction).example) for c in fold.test]
    shown = _sets(member, cases)
    seed = seed_of(bench.recipe.protocol.seed, "fold", fold.number)
    rows = {}
    for scale in sorted(pool.scales.tolist()):
        rng = generator(seed, "exchanged", scale)
        dealt = (_exchanged(shown, cases, scale, rng) for _ in range(TIMES))
        rows[f"{scale:g}"] = np.stack([_told(member, sets) for sets in dealt])
    rng = generator(seed, "exchanged", NAMES)
    renamed = ([[_renamed(one, rng) for one in each] for each in shown] for _ in range(TIMES))
    rows[NAMES] = np.stack([_told(member, sets) for sets in renamed])
    return _Asked(tuple(case.case for case in cases), rows)


def _sets(member: FoldModel, cases: Sequence[Example]) -> list[list[Example]]:
    """The sets of views that judge, each of all cases and unmirrored; else whole cases."""
    views = views_of(member.recipe)
    if views is None:
        return [list(cases)]
    each = [[case.only(rows) for rows in views.kept(case)] for case in cases]
    return [list(one) for one in zip(*each, strict=True)]


def _told(member: FoldModel, sets: Sequence[Sequence[Example]]) -> Float[np.ndarray, "M C"]:
    """Calibrated; the mean over the sets."""
    return member.choices.calibrated(predict(member.model, [pack(one) for one in sets]))


def _exchanged(
    shown: Sequence[Sequence[Example]],
    cases: Sequence[Example],
    scale: float,
    rng: np.random.Generator,
) -> list[list[Example]]:
    """The sets, with the views of the scale taken from those of another patient who has it."""
    donors = _donors(cases, scale, rng)
    return [
        [_with_views_of(one, each[donors[m]], scale) for m, one in enumerate(each)]
        for each in shown
    ]


def _donors(cases: Sequence[Example], scale: float, rng: np.random.Generator) -> list[int]:
    """Of each case another that gives its views; itself where it has none, or nobody else has."""
    have = [m for m, case in enumerate(cases) if bool(_is(case, scale).any())]
    order = rng.permutation(have).tolist()
    step = int(rng.integers(1, max(2, len(order))))
    donors = list(range(len(cases)))
    for place, m in enumerate(order):
        ring = (order[(place + step + more) % len(order)] for more in range(len(order)))
        strangers = (other for other in ring if cases[other].patient != cases[m].patient)
        donors[m] = next(strangers, m)
    return donors


def _with_views_of(own: Example, donor: Example, scale: float) -> Example:
    stay, come = ~_is(own, scale), _is(donor, scale)
    if own is donor or bool(stay.all()):
        return replace(own, position=None, image=None)
    assert own.scale is not None and donor.scale is not None, "views are of scales"  # noqa: S101, PT018
    return replace(
        own,
        values=torch.cat([own.values[stay], donor.values[come]]),
        scale=torch.cat([own.scale[stay], donor.scale[come]]),
        position=None,
        image=None,
    )


def _renamed(own: Example, rng: np.random.Generator) -> Example:
    """The views with the scales of the same case, dealt anew."""
    assert own.scale is not None, "views are of scales"  # noqa: S101
    order = torch.from_numpy(rng.permutation(len(own.scale)))
    return replace(own, scale=own.scale[order], position=None, image=None)


def _is(example: Example, scale: float) -> Bool[Tensor, " N"]:
    assert example.scale is not None, "the aggregator refuses views without"  # noqa: S101
    return is_of_scale(example.scale, torch.tensor([scale]))[:, 0]


def lost_notes(lost: Mapping[str, Interval], folds: int) -> Iterator[str]:
    """What is beyond chance, in a sentence; and that exchanged names do not matter, if so."""
    scales = {name: one for name, one in lost.items() if name != NAMES and one.value is not None}
    if not scales:
        return
    told = "; ".join(f"{name} {_in_words(one)}" for name, one in scales.items())
    rests = [name for name, one in scales.items() if one.low is not None and one.low > 0]
    which = f"beyond chance at {', '.join(rests)}" if rests else "beyond chance at none"
    yield (
        f"AUROC that is lost when the views of one scale are another patient's, in {folds} folds: "
        f"{told}; {which}."
    )
    names = lost.get(NAMES)
    if names is not None and names.value is not None and not (names.low or 0) > 0:
        yield (
            "Shuffling which view is of which scale costs no AUROC beyond chance "
            f"({_in_words(names)}): the learnt importance of the scales is not what decides."
        )


def _in_words(one: Interval) -> str:
    ends = "no interval" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
    return f"{one.value:.3f} ({ends})"
