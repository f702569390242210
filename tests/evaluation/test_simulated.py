"""What is said of intervals is what the benchmark drew, and drawing again says the same."""

import json
import runpy
from importlib import resources
from pathlib import Path

import pytest

from wholecase.evaluation import METRICS, held

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
DRAWN = json.loads((resources.files("wholecase.evaluation") / "coverage.json").read_text())


@pytest.mark.parametrize("judges", [1, 5])
@pytest.mark.parametrize("metric", [*METRICS, "localisation_auc"])
def test_what_was_drawn_is_told_of_the_nearest_number(metric: str, judges: int) -> None:
    for size, told in DRAWN["folds"][str(judges)].items():
        found = held(metric, int(size), judges)
        if metric in told:
            hits, draws = told[metric]
            assert found is not None
            assert (found.share, found.draws, found.patients) == (hits / draws, draws, int(size))
    if not any(metric in told for told in DRAWN["folds"][str(judges)].values()):
        assert held(metric, 100, judges) is None


def test_intervals_of_ranks_hold_the_truth_as_often_as_they_say() -> None:
    for sizes in DRAWN["folds"].values():
        for told in sizes.values():
            hits, draws = told["auroc"]
            assert draws >= 500
            assert 0.92 <= hits / draws <= 0.995


@pytest.mark.slow
def test_the_benchmark_draws_what_the_table_holds() -> None:
    """A tenth of it anew, with other seeds: within what chance allows (five deviations)."""
    covered = runpy.run_path(str(BENCHMARK))["covered"]
    found = covered((40, 5, 50, 99))
    for metric in ("auroc", "accuracy", "brier"):
        hits, draws = DRAWN["folds"]["5"]["40"][metric]
        share, told = hits / draws, found[metric, "told"]
        assert told == 50
        assert abs(found[metric, "held"] / told - share) < 5 * (0.06 * 0.94 / 50) ** 0.5
