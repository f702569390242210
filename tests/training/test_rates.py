"""The factor on all rates is what its formula says, whatever the stages are."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError
from wholecase.training import SCHEDULES, Course
from wholecase.training.rates import Constant, Cosine, Plateau, Rates

scores = st.lists(st.floats(-1, 1) | st.just(math.nan), min_size=1, max_size=25)


def factors(course: Course, seen: list[float]) -> list[float]:
    rates, found = Rates(course, len(seen)), []
    for score in seen:
        found.append(rates.factor)
        rates.see(score)
    return found


@given(scores)
def test_constant_is_one(seen: list[float]) -> None:
    assert factors(Constant(), seen) == [1.0] * len(seen)


@given(st.integers(1, 40), st.floats(0, 1))
def test_cosine_falls_from_one_to_the_floor_after_the_last_epoch(epochs: int, floor: float) -> None:
    wanted = [floor + (1 - floor) * (1 + math.cos(math.pi * e / epochs)) / 2 for e in range(epochs)]
    assert factors(Cosine(floor), [0.0] * epochs) == pytest.approx(wanted, abs=1e-9)


@given(scores, st.integers(0, 3), st.sampled_from([0.0, 0.05]))
def test_plateau_slows_down_after_patience(seen: list[float], patience: int, floor: float) -> None:
    course = Plateau(factor=0.5, patience=patience, min_delta=0.1, floor=floor)
    wanted, factor, best, bad = [], 1.0, math.inf, 0
    for score in seen:
        wanted.append(factor)
        better = score < best - 0.1
        best, bad = (score, 0) if better else (best, bad + 1)
        if bad > patience:
            # a step too small to matter is not taken
            lower = max(factor * 0.5, floor)
            factor, bad = (lower if factor - lower > 1e-8 else factor), 0
    assert factors(course, seen) == wanted


def test_plateau_may_look_on_the_loss_where_the_score_stands_still() -> None:
    losses = [1.0, 0.9, 0.8, 0.8, 0.8, 0.7]
    by_score, by_loss = (Rates(Plateau(patience=1, on=on), 6) for on in ("score", "loss"))
    told = []
    for loss in losses:
        for rates in (by_score, by_loss):
            rates.see(-0.5, loss)
        told.append((by_score.factor, by_loss.factor))
    assert [one for one, _ in told] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert [other for _, other in told] == pytest.approx([1, 1, 1, 1, 0.1, 0.1])
    by_loss.see(-0.5)  # where nobody is asked for a loss


@given(scores, st.integers(0, 24), st.sampled_from(sorted(SCHEDULES)))
def test_what_is_told_as_json_goes_on_the_same(seen: list[float], at: int, name: str) -> None:
    course, stopped = SCHEDULES[name](), seen[: at % len(seen)]
    rates = Rates(course, len(seen))
    for score in stopped:
        rates.see(score)
    other = Rates(course, len(seen))
    other.restore(json.loads(json.dumps(rates.facts())))
    for score in seen[len(stopped) :]:
        assert other.factor == rates.factor
        rates.see(score)
        other.see(score)
    assert other.facts() == rates.facts()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plateau", {"factor": 1.0}),
        ("plateau", {"factor": 0.0}),
        ("plateau", {"patience": -1}),
        ("plateau", {"on": "auroc"}),
        ("plateau", {"floor": 1.5}),
        ("cosine", {"floor": -0.1}),
    ],
)
def test_impossible_options_are_refused(name: str, options: dict[str, float]) -> None:
    with pytest.raises(
        RecipeError, match=r"the schedule `plateau` (needs|looks)|the floor of a schedule"
    ):
        SCHEDULES[name](**options)
