"""Whether evidence points at what was marked: the table of cases, and what it comes to."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wholecase.answer import Judgement
from wholecase.core.seeds import seed_of
from wholecase.evaluation import mean_interval
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder, write_rows

COLUMNS = ("case_id", "patient_id", "localisation_auc")
MEANS = ("map_share", "map_chance", "pointing", "pointing_chance")
OF_SLICES = ("slices", "lesions", "first_rank", *MEANS)


def write_localisation(run: RunFolder, judgements: Sequence[Judgement]) -> None:
    """`localisation.csv`: a row for each case with masks; none where no case has any."""
    marked = [j for j in judgements if j.localisation is not None or j.lesions is not None]
    if not marked:
        return
    further = OF_SLICES if any(j.lesions is not None for j in marked) else ()
    rows = [
        {
            "case_id": j.case.id,
            "patient_id": j.case.patient,
            "localisation_auc": j.localisation,
            **{name: getattr(j.lesions, name, None) for name in further},
        }
        for j in marked
    ]
    write_rows(run.localisation, (*COLUMNS, *further), rows)


def of_lesion_slices(judgements: Sequence[Judgement], recipe: Recipe) -> dict[str, Any]:
    """What `metrics.json` says of series with masks; empty where there are none.

    `among_first` is the share of true positives whose two highest slices hold one with a lesion.
    Means are over cases, with intervals by patient.
    """
    have = [j for j in judgements if j.lesions is not None and j.lesions.lesions]
    right = [j for j in have if j.decision == j.case.target]
    if not have:
        return {}

    def mean(cases: Sequence[Judgement], name: str) -> dict[str, Any]:
        values = [getattr(j.lesions, name) for j in cases]
        interval = mean_interval(
            np.array([np.nan if value is None else float(value) for value in values]),
            tuple(j.case.patient for j in cases),
            within=(0.0, 1.0),
            repeats=recipe.evaluate.bootstrap,
            seed=seed_of(recipe.protocol.seed, "lesion slices"),
        )
        return interval.to_json()

    return {
        "cases": len(have),
        "true_positives": len(right),
        "among_first": mean(right, "is_among_first"),
        **{name: mean(have, name) for name in MEANS},
    }
