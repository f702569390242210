"""Do the fold models look at the same tiles? Told of every case that all of them judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from wholecase.answer import Judgement
from wholecase.core.seeds import seed_of
from wholecase.evaluation import Interval, mean_interval
from wholecase.experiment.outer import Bench
from wholecase.runs import write_rows


@dataclass(frozen=True)
class Stability:
    """How alike the fold models look."""

    interval: Interval | None = None
    """Mean rank correlation over cases, by patient; None where no case has one."""
    notes: tuple[str, ...] = ()


def write_stability(bench: Bench, judged: Sequence[Judgement]) -> Stability:
    """Write `stability.csv`: a row per compared case and fold model, and whether it saw the case.

    A run of one fold has nothing to compare, and no file.
    """
    if len(bench.folds) < 2:
        return Stability()
    asked = [one for one in judged if one.others]
    rows = [row for one in asked for row in _rows(bench, one)]
    named = [f"probability_{name}" for name in bench.classes]
    columns = ["case_id", "patient_id", "fold", "seen", *named, "rank_correlation"]
    write_rows(bench.run.stability, columns, rows)
    notes = []
    if len(asked) < len(judged):
        notes.append(
            f"How alike the fold models look was measured on {len(asked)} of the {len(judged)} "
            "judged cases, drawn by the seed."
        )
    means = np.array([_mean(one) for one in asked], dtype=np.float64)
    if np.isnan(means).all():
        return Stability(None, tuple(notes))
    patients = tuple(one.case.patient for one in asked)
    repeats, seed = bench.recipe.evaluate.bootstrap, bench.recipe.protocol.seed
    interval = mean_interval(means, patients, repeats=repeats, seed=seed_of(seed, "stability"))
    return Stability(interval, tuple(notes))


def _mean(judged: Judgement) -> float:
    found = [other.agreement for other in judged.others if other.agreement is not None]
    return sum(found) / len(found) if found else float("nan")


def _rows(bench: Bench, judged: Judgement) -> Iterator[dict[str, object]]:
    seen = {f.number: {case.patient for case in (*f.train, *f.valid)} for f in bench.folds}
    judgements = [judged, *judged.others]
    named = [f"probability_{name}" for name in bench.classes]
    for one in sorted(judgements, key=lambda judgement: int(judgement.judge)):
        yield {
            "case_id": one.case.id,
            "patient_id": one.case.patient,
            "fold": one.judge,
            "seen": int(one.case.patient in seen[int(one.judge)]),
            **dict(zip(named, (f"{p:.8f}" for p in one.probabilities), strict=True)),
            "rank_correlation": None if one.agreement is None else f"{one.agreement:.6f}",
        }
