"""Pictures of judged cases, the worst errors first."""

from collections.abc import Sequence
from typing import Any

from wholecase.answer import Judgement, Sitting, draw
from wholecase.assemble import shades_of
from wholecase.core.files import write_json
from wholecase.core.progress import progress
from wholecase.execution import parallel_map
from wholecase.experiment.example_sheet import draw_examples
from wholecase.experiment.localised import write_localisation
from wholecase.experiment.outer import Bench


def worst(judgements: Sequence[Judgement], most: int) -> list[Judgement]:
    """At most so many, the worst errors first."""
    return sorted(judgements, key=_wrongness, reverse=True)[:most]


def draw_pictures(
    bench: Bench, judgements: Sequence[Judgement], shown: Sequence[Judgement], workers: int
) -> None:
    """Pictures of the cases that are shown; one that fails is left out."""
    folder, shades = bench.run, shades_of(bench.recipe)
    marked = {j.case.id: j.lesions.marked for j in judgements if j.lesions is not None}
    sittings = [Sitting(one.case, folder, shades, marked.get(one.case.id, ())) for one in shown]
    drawn: dict[str, Any] = {}
    with progress("drawing", len(sittings), "cases") as advance:
        for done in parallel_map(draw, sittings, workers=workers):
            if done.result is not None:
                drawn[done.item.case.id] = done.result
            advance()
    found = {one.case.id: one.localisation for one in judgements}
    pictures = {case: {**drawn[case], "localisation_auc": found[case]} for case in sorted(drawn)}
    write_json(folder.pictures, pictures)
    draw_examples(folder, shown, pictures)
    write_localisation(folder, judgements)


def _wrongness(judgement: Judgement) -> tuple[bool, float]:
    truth = judgement.case.target or 0
    return judgement.decision != truth, 1 - float(judgement.probabilities[truth])
