"""The outer patients are judged: each bag is read once, and all fold models see it.

A case's own judge is the model that learnt without its patient; its evidence is kept. All other
models have seen the patient, in training or while choosing: what they say is compared, and enters
no choice and no metric of performance.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float

from wholecase.answer import (
    Faithfulness,
    FoldModel,
    Judgement,
    Reading,
    faithfulness,
    images_alone,
    judge,
    load_fold,
    localise,
    read_case,
)
from wholecase.cohort import Case, Fold
from wholecase.core.errors import RunError
from wholecase.core.kinds import RGB
from wholecase.core.progress import progress
from wholecase.core.seeds import generator, seed_of
from wholecase.execution import Place, parallel_map
from wholecase.explain import write_evidence
from wholecase.extract import Extraction
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder

MOST_EXPLAINED = 1000
"""With more test cases in a fold, only those that will be shown get evidence."""
MOST_COMPARED = 1000
"""Of a larger run so many cases, drawn by its seed: their mean is sure enough."""
LEAST_INSTANCES = 3
"""Of two instances, the orders agree or they do not."""
Said = TypeVar("Said")
PARTS = 4
"""For each worker, so that the last ones do not wait long for each other."""


@dataclass(frozen=True)
class Bench:
    """The learnt folds of a run, and what is needed to ask their models; travels to workers."""

    recipe: Recipe
    extraction: Extraction
    classes: tuple[str, ...]
    run: RunFolder
    folds: tuple[Fold, ...]
    """Only cases that have a bag."""
    cases: tuple[Case, ...]
    """All of them, in the order of the manifest."""
    place: Place

    @property
    def judges(self) -> dict[str, int]:
        """Of each test case the fold whose model judges it."""
        return {case.id: fold.number for fold in self.folds for case in fold.test}


@dataclass(frozen=True)
class _Part:
    """Cases that are read together, each with the fold of its judge."""

    cases: tuple[Case, ...]
    others: bool
    """Whether the other folds' models are asked as well."""
    evidence: bool
    """Whether the case's own judge explains itself."""


def judge_outer(bench: Bench) -> list[Judgement]:
    """Every test case in the order of the manifest, judged; evidence is written to the run.

    A fold of more than `MOST_EXPLAINED` test cases is judged many cases to a batch, without
    evidence; `explained` adds that for the few that are shown.
    """
    many = [fold for fold in bench.folds if len(fold.test) > MOST_EXPLAINED]
    said = {one.case.id: one for one in _in_batches(bench, many)}
    few = [case for case in _tested(bench) if case.id not in said]
    compared = {case.id for case in _compared(bench)}
    together = [case for case in few if case.id in compared]
    apart = [case for case in few if case.id not in compared]
    said |= {one.case.id: one for one in _one_by_one(bench, together, others=True)}
    said |= {one.case.id: one for one in _one_by_one(bench, apart, others=False)}
    asked = [case for fold in many for case in fold.test if case.id in compared]
    for one in _one_by_one(bench, asked, others=True, evidence=False):
        # the answer is the one that was made in a batch
        said[one.case.id] = replace(said[one.case.id], others=one.others)
    return [said[case.id] for case in _tested(bench)]


def judge_bare(bench: Bench) -> list[Judgement]:
    """The same answers as `judge_outer` gives, without evidence and what other models say."""
    many = [fold for fold in bench.folds if len(fold.test) > MOST_EXPLAINED]
    said = {one.case.id: one for one in _in_batches(bench, many)}
    few = [case for case in _tested(bench) if case.id not in said]
    said |= {one.case.id: one for one in _one_by_one(bench, few, others=False, evidence=False)}
    return [said[case.id] for case in _tested(bench)]


def explained(bench: Bench, judged: Sequence[Judgement]) -> list[Judgement]:
    """The same cases, with evidence in the run also for those that have none yet."""
    lacking = [j.case for j in judged if not bench.run.evidence(j.case.id).is_file()]
    fuller = {one.case.id: one for one in _one_by_one(bench, lacking, others=False)}
    return [fuller.get(one.case.id, one) for one in judged]


def rank_correlation(one: Float[np.ndarray, " N"], other: Float[np.ndarray, " N"]) -> float | None:
    """Spearman's, equal weights sharing a rank; None for constant weights or too few instances.

    >>> rank_correlation(np.array([0.1, 0.2, 0.7]), np.array([0.2, 0.3, 0.5]))
    1.0
    """
    from scipy.stats import spearmanr

    if len(one) < LEAST_INSTANCES or not np.ptp(one) or not np.ptp(other):
        return None
    return round(float(spearmanr(one, other).statistic), 12)


def _tested(bench: Bench) -> list[Case]:
    judges = bench.judges
    return [case for case in bench.cases if case.id in judges]


def _compared(bench: Bench) -> list[Case]:
    """The cases that all models are asked about; a run of one fold has nothing to compare."""
    cases = _tested(bench)
    if len(bench.folds) < 2:
        return []
    if len(cases) <= MOST_COMPARED:
        return cases
    rng = generator(bench.recipe.protocol.seed, "stability", "cases")
    return [cases[i] for i in sorted(rng.permutation(len(cases))[:MOST_COMPARED].tolist())]


def _in_batches(bench: Bench, folds: Sequence[Fold]) -> Iterator[Judgement]:
    total = sum(len(fold.test) for fold in folds)
    for said in _done(partial(_judge_fold, bench), folds, bench, total):
        yield from said


def _judge_fold(bench: Bench, fold: Fold) -> list[Judgement]:
    torch.set_num_threads(bench.recipe.train.threads)
    member = _member(bench, fold.number)
    return [said for (said,) in judge([member], fold.test, bench.extraction, evidence="none")]


def _one_by_one(
    bench: Bench, cases: Sequence[Case], *, others: bool, evidence: bool = True
) -> Iterator[Judgement]:
    size = -(-len(cases) // max(1, PARTS * bench.place.workers))
    parts = [
        _Part(tuple(cases[i : i + size]), others, evidence) for i in range(0, len(cases), size or 1)
    ]
    judges = bench.judges
    wanted = None if others else {judges[case.id] for case in cases}
    setup = partial(_members, bench, wanted)
    for judged in _done(partial(_judge_part, bench), parts, bench, len(cases), setup):
        yield from judged


def _done(
    work: Callable[..., list[Said]],
    items: Sequence[object],
    bench: Bench,
    total: int,
    setup: Callable[[], object] | None = None,
) -> Iterator[list[Said]]:
    with progress("judging", total, "cases") as advance:
        for outcome in parallel_map(work, items, workers=bench.place.crew(len(items)), setup=setup):
            if outcome.result is None:
                raise outcome.error or RunError("a worker gave no answer; run again")
            advance(len(outcome.result))
            yield outcome.result


def _members(bench: Bench, wanted: set[int] | None) -> dict[int, FoldModel]:
    numbers = [fold.number for fold in bench.folds]
    return {n: _member(bench, n) for n in numbers if wanted is None or n in wanted}


def _member(bench: Bench, number: int) -> FoldModel:
    takes = bench.extraction.width, bench.extraction.kind or RGB
    return load_fold(bench.run, number, bench.recipe, takes, bench.place.device)


def _judge_part(bench: Bench, part: _Part, members: Mapping[int, FoldModel]) -> list[Judgement]:
    # as many threads as the recipe says: a matrix product split differently rounds differently
    torch.set_num_threads(bench.recipe.train.threads)
    judges = bench.judges
    return [
        _judged(bench, read_case(case, bench.extraction), (judges[case.id], part), members)
        for case in part.cases
    ]


def _judged(
    bench: Bench,
    reading: Reading,
    asked: tuple[int, _Part],
    members: Mapping[int, FoldModel],
) -> Judgement:
    judge, part = asked
    own = members[judge].judge(reading, full=part.evidence)
    rest = [members[n] for n in sorted(members) if n != judge] if part.others else []
    others = [member.judge(reading, full=False) for member in rest]
    compared = [replace(o, agreement=_agreement(own, o) if part.evidence else None) for o in others]
    if part.evidence:
        own = _examined(bench, members[judge], reading, own)
    return replace(own, evidence=None, others=tuple(replace(o, evidence=None) for o in compared))


def _agreement(own: Judgement, other: Judgement) -> float | None:
    assert own.evidence is not None and other.evidence is not None, "asked for"  # noqa: S101, PT018
    both = own.evidence.weights, other.evidence.weights
    return rank_correlation(*(weights.mean(1).astype(np.float64) for weights in both))


def _examined(bench: Bench, member: FoldModel, reading: Reading, own: Judgement) -> Judgement:
    """Keep the evidence in the run, and try whether it points at the right place."""
    case, evidence = reading.case, own.evidence
    assert evidence is not None, "asked for"  # noqa: S101
    write_evidence(bench.run.evidence(case.id), evidence)
    sizes = {n: s for n, i in enumerate(case.images) if (s := bench.extraction.size_px(i))}
    found = localise(case, evidence, sizes)
    return replace(
        own,
        localisation=found.auc,
        lesions=found.slices,
        faithfulness=_faithfulness(bench, member, reading, own),
        images=images_alone(case, evidence, member.choices),
    )


def _faithfulness(
    bench: Bench, member: FoldModel, reading: Reading, own: Judgement
) -> Faithfulness | None:
    """Of a case that was decided rightly, and for two classes is positive."""
    target = reading.case.target
    if target is None or own.decision != target or (len(bench.classes) == 2 and target == 0):
        return None
    assert own.evidence is not None, "asked for"  # noqa: S101
    seed = seed_of(bench.recipe.protocol.seed, "fold", member.fold)
    rng = generator(seed, "faithfulness", reading.case.id)
    weights = own.evidence.weights.mean(1).astype(np.float64)
    return faithfulness(member.model, member.through(reading), weights, target, rng)
