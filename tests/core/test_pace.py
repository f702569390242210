"""A pace that one long step does not disturb, and that does not take a burst for speed."""

from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.pace import Pace


def after(times: list[float], amount: int = 1) -> Pace:
    pace = Pace(0.0)
    for number, now in enumerate(times, 1):
        pace.step(now, number * amount)
    return pace


def test_nothing_is_known_before_the_first_step() -> None:
    pace = Pace(5.0)
    assert pace.seconds_each is None
    assert pace.left_s(9.0, 10) is None


@given(st.floats(1e-3, 1e4), st.integers(1, 300), st.integers(1, 50))
def test_an_even_pace_is_found_whatever_comes_at_a_time(
    each: float, steps: int, amount: int
) -> None:
    pace = after([each * amount * (i + 1) for i in range(steps)], amount)
    assert pace.seconds_each is not None
    assert abs(pace.seconds_each - each) <= 1e-6 * each
    left = pace.left_s(each * amount * steps, 2 * steps * amount)
    assert left is not None
    assert abs(left - each * steps * amount) <= 1e-6 * each * steps * amount


@given(st.floats(0.0, 1e6), st.integers(0, 199), st.integers(40, 200))
def test_one_long_step_changes_nothing(long: float, at: int, steps: int) -> None:
    times = [i + 1 + (long if i >= at else 0.0) for i in range(steps)]
    found = after(times).seconds_each
    assert found is not None
    # the stretches that hold it are a third of all at most
    assert abs(found - 1.0) <= 1e-6 * (1 + long)


@given(st.integers(2, 16), st.integers(7, 20))
def test_workers_that_end_together_are_no_speed(workers: int, rounds: int) -> None:
    times = [float(r + 1) + 1e-4 * w for r in range(rounds) for w in range(workers)]
    found = after(times).seconds_each
    assert found is not None
    assert 0.5 <= found * workers <= 2.1


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=50))
def test_what_is_left_runs_down_between_steps_and_never_below_the_rest(waits: list[float]) -> None:
    pace, last = after([1.0, 2.0, 3.0]), 7.0
    for now in sorted(waits):
        left = pace.left_s(3.0 + now, 10)
        assert left is not None
        assert 6.0 <= left <= last
        last = left


def test_what_was_is_forgotten() -> None:
    slow = [100.0 * (i + 1) for i in range(50)]
    fast = [5000.0 + i + 1 for i in range(100)]
    assert after(slow + fast).seconds_each == 1.0


def test_work_that_is_to_be_done_again_begins_the_count_anew() -> None:
    pace = after([1.0, 2.0, 3.0])
    pace.step(4.0, 1)
    assert pace.seconds_each is None
    pace.step(6.0, 2)
    assert pace.seconds_each == 2.0
