"""The table of cases, worst errors first, and the page of each: pictures inside."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from wholecase.report.flow import exclusions
from wholecase.report.nearest import ShownNeighbour, shown_neighbours
from wholecase.report.opinions import Strip, strip_of
from wholecase.report.pictures import Inlined, case_bytes, inlined
from wholecase.report.records import Exclusion, Prediction, UsedCase
from wholecase.report.run_record import Run
from wholecase.report.wording import count, number, percent

SHOWN = 200
"""Rows of the table; the page must stay small enough to send."""


UNLIKE = "; the case is unlike those that its model learnt from, so that the answer is worth little"


@dataclass(frozen=True)
class CaseRow:
    """One case: its row, and what its own page says."""

    prediction: Prediction
    key: str
    """The case's id as a part of an address: `#case-` and this opens its page."""
    bars: tuple[tuple[str, float], ...]
    """Class name and probability: the positive one of two, or all of several."""
    threshold: float | None
    localisation_auc: float | None
    pictures: Inlined
    strip: Strip | None
    verdict: str
    """The decision in a sentence."""
    facts: tuple[tuple[str, str], ...]
    neighbours: tuple[ShownNeighbour, ...]
    """The nearest known cases that decided, where neighbours do."""
    left_out: tuple[Exclusion, ...]
    """Images of the case that could not be used."""


def ordered(run: Run) -> list[Prediction]:
    """Wrong decisions first; within both parts, the farther from the truth the earlier."""

    def place(prediction: Prediction) -> tuple[bool, float, str]:
        p = run.truth_probability(prediction)
        return (not prediction.is_wrong, p if p == p else 2.0, prediction.case)  # noqa: PLR0124

    return sorted(run.predictions, key=place)


def links(run: Run) -> dict[str, str]:
    """Case -> the address of its page, for the cases that are shown."""
    return {p.case: f"#case-{_key(p.case)}" for p in ordered(run)[:SHOWN]}


def case_rows(run: Run) -> list[CaseRow]:
    """The cases that are shown, `SHOWN` at most."""
    shown = ordered(run)[:SHOWN]
    outlines = _outlines(run)
    budget = case_bytes(sum(p.case in run.pictures or p.case in outlines for p in shown))
    left_out = defaultdict(list)
    for exclusion in exclusions(run):
        left_out[exclusion.case].append(exclusion)
    return [_row(run, p, (outlines.get(p.case, ()), budget), left_out[p.case]) for p in shown]


def _row(
    run: Run,
    prediction: Prediction,
    drawn: tuple[Sequence[Path | None], int],
    left_out: Sequence[Exclusion],
) -> CaseRow:
    pictures = run.pictures.get(prediction.case)
    fold = run.fold(prediction.fold)
    return CaseRow(
        prediction=prediction,
        key=_key(prediction.case),
        bars=_bars(run.classes, prediction.probabilities, is_binary=run.is_binary),
        threshold=fold.threshold if fold and run.is_binary else None,
        localisation_auc=pictures.localisation_auc if pictures else None,
        pictures=inlined(pictures, *drawn),
        strip=strip_of(run, prediction),
        verdict=_verdict(run, prediction),
        facts=_facts(run, prediction),
        neighbours=shown_neighbours(run, prediction.case, prediction.decision),
        left_out=tuple(left_out),
    )


def _key(case: str) -> str:
    """An id as an address takes it, so that the address and the place it leads to are one text."""
    return quote(case, safe="")


def _outlines(run: Run) -> Mapping[str, Sequence[Path | None]]:
    pictures = defaultdict(list)
    for record in run.tissue:
        pictures[record.case].append(record.picture)
    return pictures


def _bars(
    classes: Sequence[str], probabilities: Sequence[float], *, is_binary: bool
) -> tuple[tuple[str, float], ...]:
    pairs = tuple(zip(classes, probabilities, strict=True))
    return pairs[1:] if is_binary else pairs


def _verdict(run: Run, prediction: Prediction) -> str:
    ending = (
        f"but the label is {prediction.label}" if prediction.is_wrong else "and the label agrees"
    )
    ending = ending if prediction.label else "and the label is unknown"
    ending += UNLIKE if _is_unlike(run, prediction) else ""
    fold = run.fold(prediction.fold)
    if not run.is_binary:
        return f"Called {prediction.decision}, the most probable class, {ending}."
    p, called = prediction.probabilities[-1], f"Called {prediction.decision}"
    if fold is None or fold.threshold is None:
        return f"{called}: the probability of {run.positive} is {number(p)}, {ending}."
    digits = 2 if number(p) != number(fold.threshold) else 4
    exceeds = "exceeds" if prediction.decision == run.positive else "does not exceed"
    return (
        f"{called}: the probability of {run.positive}, {number(p, digits)}, {exceeds} the "
        f"threshold of {number(fold.threshold, digits)}, {ending}."
    )


def _is_unlike(run: Run, prediction: Prediction) -> bool:
    novelty = run.novelty.get(prediction.case)
    return novelty is not None and novelty.is_unlike


def _seen(used: UsedCase, region: str = "region") -> str:
    """How many images, and into how many regions they were cut, where they were."""
    images = count(used.images, "image")
    is_whole = used.images == used.instances
    return images if is_whole else f"{images}, {count(used.instances, region)}"


def _facts(run: Run, prediction: Prediction) -> tuple[tuple[str, str], ...]:
    """What is known of the case beyond its answer; unknown facts are left out."""
    used = next((case for case in run.cases if case.id == prediction.case), None)
    pictures = run.pictures.get(prediction.case)
    found = pictures.localisation_auc if pictures else None
    who = "models" if run.vote else "model"
    judge = f"the {who} of fold {prediction.fold}, which never saw this patient"
    facts = [("Judged by", judge)]
    if used is not None:
        facts += [
            ("Images", _seen(used, "slice" if pictures and pictures.series else "region")),
            ("Site", used.site),
        ]
    novelty = run.novelty.get(prediction.case)
    if novelty is not None and novelty.percentile is not None:
        facts.append(("Distance", f"farther out than {percent(novelty.percentile)} of inner cases"))
    if voted := run.neighbours.get(prediction.case):
        alike = sum(one.label == prediction.decision for one in voted)
        facts.append(
            ("Nearest cases", f"{alike} of {len(voted)} that voted are {prediction.decision}")
        )
    facts.append(("Localisation", f"AUROC {number(found)}" if found is not None else ""))
    if (marked := run.marked.get(prediction.case)) is not None:
        which = (
            f"{marked.lesions} of {marked.slices}, the first of them at rank {marked.first_rank}"
        )
        facts.append(("Marked slices", which))
    return tuple((name, text) for name, text in facts if text)
