"""Runs on the same cases: how much better is one, is that more than chance, where do they differ?

How well orders of several folds' models agree is asked within folds: what two models call 0.7 need
not be alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.core.errors import RunError
from wholecase.report.table_cells import read_object, rows_of
from wholecase.runs import RunFolder, mark_in

if TYPE_CHECKING:  # numpy comes with it, and this package is to import at once
    import numpy as np

    from wholecase.evaluation import Gap, Interval, Overlap, Scores

REPEATS = 2000


@dataclass(frozen=True)
class Judged:
    """What a run says of its test cases, in the order of the case ids."""

    name: str
    folder: RunFolder
    classes: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    """Of `predictions.csv`."""

    @property
    def cases(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(row["case_id"] for row in self.rows)

    @cached_property
    def folds(self) -> "np.ndarray":
        """The fold whose model judged each."""
        import numpy as np

        return np.array([int(row["fold"]) for row in self.rows], dtype=np.int64)

    @cached_property
    def scores(self) -> "Scores":
        """As the metrics want them."""
        import numpy as np

        from wholecase.evaluation import Scores

        index = self.classes.index
        shares = [[float(row[f"probability_{name}"]) for name in self.classes] for row in self.rows]
        return Scores(
            truth=np.array([index(row["label"]) for row in self.rows], dtype=np.int64),
            probabilities=np.array(shares, dtype=np.float64),
            decision=np.array([index(row["decision"]) for row in self.rows], dtype=np.int64),
            patients=tuple(row["patient_id"] for row in self.rows),
            judges=self.folds,
        )


@dataclass(frozen=True)
class Pair:
    """One run against another; differences are the first less the second."""

    first: Judged
    second: Judged
    differences: "dict[str, Interval]"
    """By name of the metric."""
    overlap: "Overlap"
    accuracy: "Gap"
    area: "Gap | None"
    """Under the ROC curve; None unless of two classes."""
    over: str
    """What is averaged over folds: `auroc`, or `accuracy` of more than two classes."""
    folds: "Gap"
    """Its mean difference over folds, whose models share training patients."""


@dataclass(frozen=True)
class Comparison:
    """Several runs on the same cases in the same folds."""

    runs: tuple[Judged, ...]
    pairs: tuple[Pair, ...]
    """Each run with each later one."""
    overlap: "Overlap"
    """Of all runs together."""

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """What figures of runs carry whose sides are not apart, each with its run."""
        found = [(run.name, mark_in(run.folder)) for run in self.runs]
        return tuple(f"{name}: {mark}" for name, mark in found if mark)

    @cached_property
    def disputed(self) -> tuple[int, ...]:
        """Numbers of the cases that not all decide alike; the farther apart, the earlier."""
        import numpy as np

        first = self.runs[0].scores
        decisions = np.stack([run.scores.decision for run in self.runs])
        at = np.arange(len(first.truth)), first.truth
        spread = np.ptp(np.stack([run.scores.probabilities[at] for run in self.runs]), axis=0)
        differ = np.flatnonzero((decisions != decisions[0]).any(0))
        return tuple(differ[np.argsort(-spread[differ], kind="stable")].tolist())


def compare(roots: Sequence[Path], *, seed: int = 1) -> Comparison:
    """Each run against each other, and all together; intervals by patient.

    Raises:
        RunError: fewer than two runs, one twice, or they did not judge the same cases with the same
            labels and in the same folds, so that a difference would speak of the splits.
    """
    from wholecase.evaluation import overlap

    runs = judged_alike(roots)
    return Comparison(
        runs=runs,
        pairs=tuple(_pair(a, b, seed) for a, b in combinations(runs, 2)),
        overlap=overlap([run.scores for run in runs], repeats=REPEATS, seed=seed),
    )


def compare_runs(first: Path, second: Path, *, seed: int = 1) -> "dict[str, Interval]":
    """Every metric of the first run minus that of the second, with its interval by patient.

    Both see the same redraws of patients, so what is hard for both does not widen the interval.

    Raises:
        RunError: as `compare`.
    """
    return _differences(*judged_alike([first, second], may_repeat=True), seed=seed)


def judged_alike(roots: Sequence[Path], *, may_repeat: bool = False) -> tuple[Judged, ...]:
    """What the runs say of the cases, as long as these are the same.

    Raises:
        RunError: as `compare`.
    """
    if len(roots) < 2:
        raise RunError("one run has nothing to stand beside; name at least two folders")
    known = [root.resolve() for root in roots]
    if len(set(known)) < len(known) and not may_repeat:
        twice = next(root for root, own in zip(roots, known, strict=True) if known.count(own) > 1)
        raise RunError(f"{twice} is named twice; name each run once")
    names = [root.name for root in known]
    runs = tuple(
        _judged(root, name if names.count(name) == 1 else str(root))
        for root, name in zip(roots, names, strict=True)
    )
    for other in runs[1:]:
        _refuse_others(runs[0], other)
    return runs


def judged_scores(folder: RunFolder) -> "Scores":
    """What a run says of its test cases, as the metrics want it.

    Raises:
        RunError: it judged none.
    """
    return _judged(folder.root, folder.root.name).scores


def _judged(root: Path, name: str) -> Judged:
    folder = RunFolder(root)
    classes = tuple(folder.read_facts()["classes"])
    rows = sorted(rows_of(folder.predictions), key=lambda row: row["case_id"])
    if not rows:
        raise RunError(f"{root} judged no case of its own; name a run that was evaluated")
    return Judged(name, folder, classes, tuple(rows))


def _refuse_others(a: Judged, b: Judged) -> None:
    if a.classes != b.classes:
        raise RunError(
            f"{a.folder.root} tells {', '.join(a.classes)} apart, {b.folder.root} "
            f"{', '.join(b.classes)}; compare runs of the same classes"
        )
    for column, what in (("fold", "in the same fold"), ("label", "with the same label")):
        mine, theirs = ({row["case_id"]: row[column] for row in run.rows} for run in (a, b))
        differing = sorted(case for case in mine | theirs if mine.get(case) != theirs.get(case))
        if differing:
            raise RunError(
                f"{a.folder.root} and {b.folder.root} did not judge case {differing[0]!r} {what}; "
                f"run one of them again with --splits {a.folder.splits}"
            )


def _pair(a: Judged, b: Judged, seed: int) -> Pair:
    from wholecase.evaluation import overlap, paired_tests

    gaps = paired_tests(a.scores, b.scores)
    over = "auroc" if len(a.classes) == 2 else "accuracy"
    return Pair(
        first=a,
        second=b,
        differences=_differences(a, b, seed=seed),
        overlap=overlap([a.scores, b.scores], repeats=REPEATS, seed=seed),
        accuracy=gaps["accuracy"],
        area=gaps.get("auroc"),
        over=over,
        folds=_over_folds(a, b, over),
    )


def _over_folds(a: Judged, b: Judged, metric: str) -> "Gap":
    from dataclasses import replace

    import numpy as np

    from wholecase.evaluation import METRICS, over_folds

    differences = []
    for fold in np.unique(a.folds):
        own = a.folds == fold
        parts = [
            replace(
                run.scores,
                truth=run.scores.truth[own],
                probabilities=run.scores.probabilities[own],
                decision=run.scores.decision[own],
                patients=tuple(np.array(run.scores.patients, dtype=object)[own]),
                judges=None,
            )
            for run in (a, b)
        ]
        one, other = (METRICS[metric].once(part) for part in parts)
        differences.append(one - other)
    return over_folds(differences, _test_by_training(a), len(set(a.scores.patients)))


def _test_by_training(run: Judged) -> float:
    """Test patients by those who taught, inner ones included; by fold, then the mean."""
    whose: dict[str, dict[str, set[str]]] = {}
    for row in rows_of(run.folder.splits):
        sides = whose.setdefault(row["fold"], {"test": set(), "other": set()})
        sides["test" if row["side"] == "test" else "other"].add(row["patient_id"])
    shares = [len(s["test"]) / len(s["other"]) for s in whose.values() if s["other"]]
    return sum(shares) / len(shares) if shares else 1.0


def _added(a: Judged, b: Judged) -> list[str]:
    """Metrics of other packages that both runs tell, and that are installed here."""
    from wholecase.evaluation import METRICS

    own, other = ((read_object(run.folder.metrics).get("pooled") or {}) for run in (a, b))
    shared = [name for name in own if name in other and name not in METRICS]
    return [name for name in shared if METRICS.knows(name)]


def _differences(a: Judged, b: Judged, *, seed: int) -> "dict[str, Interval]":
    from wholecase.core.seeds import seed_of
    from wholecase.evaluation import METRICS, paired_difference

    return {
        name: paired_difference(
            a.scores, b.scores, name, repeats=REPEATS, seed=seed_of(seed, "compare", name)
        )
        for name in (*METRICS, *_added(a, b))
        if METRICS[name].suits(a.scores)
    }
