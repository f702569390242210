"""The one verb: members judge cases, and each bag is read once, however many they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from wholecase.answer.bags import examples_of, read_case
from wholecase.answer.judgement import Judgement
from wholecase.answer.members import Member
from wholecase.assemble import batches_of, views_of
from wholecase.cohort import Case
from wholecase.execution import freed_memory_kept
from wholecase.extract import Extraction

Asked = Literal["full", "weights", "none"]


def judge(
    members: Sequence[Member],
    cases: Sequence[Case],
    extraction: Extraction,
    *,
    evidence: Asked = "full",
) -> Iterator[tuple[Judgement, ...]]:
    """Of each case, in order, what each member says.

    With evidence cases are judged one at a time, so that an answer never depends on a case's
    neighbours; without, many share a batch, whose bound is that of the first member's recipe.

    Args:
        members: at least one; all take the features or pixels of the extraction.
        cases: each with a bag.
        extraction: where the bags are.
        evidence: the `weights` of the instances; `full` adds what each says, and where within them
            a model that sees pixels looked; or `none`.
    """
    with freed_memory_kept():  # networks ask for the same blocks for every case
        if evidence == "none" and not any(views_of(member.recipe) for member in members):
            yield from _in_batches(members, cases, extraction)
        else:
            yield from _one_by_one(members, cases, extraction, evidence)


def _one_by_one(
    members: Sequence[Member], cases: Sequence[Case], extraction: Extraction, evidence: Asked
) -> Iterator[tuple[Judgement, ...]]:
    for case in cases:
        reading = read_case(case, extraction)
        said = (member.judge(reading, full=evidence == "full") for member in members)
        yield tuple(replace(one, evidence=None) if evidence == "none" else one for one in said)


def _in_batches(
    members: Sequence[Member], cases: Sequence[Case], extraction: Extraction
) -> Iterator[tuple[Judgement, ...]]:
    batches = batches_of(members[0].recipe, examples_of(cases, extraction, classes=0), 0)
    remaining = iter(cases)  # `once` keeps their order
    for batch in batches.once():
        here = [next(remaining) for _ in batch.cases]
        yield from zip(*(member.judge_batch(batch, here) for member in members), strict=True)
