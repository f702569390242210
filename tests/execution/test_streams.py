"""Parts come in order, a crash costs one item, and nobody runs ahead of the memory there is."""

import threading
import time
from functools import partial

import psutil
import pytest

from wholecase.core.errors import RecipeError, WorkerDied
from wholecase.core.lookup import look_up
from wholecase.execution import Again, Outcome, Part, parallel_stream


def told(events):
    """Parts and error of each item."""
    parts, errors = {}, {}
    for event in events:
        if isinstance(event, Again):
            parts.pop(event.item, None)
        elif isinstance(event, Part):
            parts.setdefault(event.item, []).append(event.value)
        else:
            errors[event.item] = event.error
    return parts, errors


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_gives_its_parts_in_order_and_then_its_end(workers):
    events = list(parallel_stream(range, [5, 0, 300, 2], workers=workers))
    parts, errors = told(events)
    assert parts == {n: list(range(n)) for n in (5, 300, 2)}
    assert errors == dict.fromkeys((5, 0, 300, 2))
    for n in (5, 300, 2):
        ends = [i for i, e in enumerate(events) if e.item == n and isinstance(e, Outcome)]
        lasts = [i for i, e in enumerate(events) if e.item == n and isinstance(e, Part)]
        assert ends == [lasts[-1] + 1] or ends[0] > lasts[-1]


def test_an_error_ends_its_item_after_the_parts_before_it():
    item = "(1 / (2 - i) for i in range(4))"
    parts, errors = told(parallel_stream(eval, [item, "iter([7])"], workers=1))
    assert parts == {item: [0.5, 1.0], "iter([7])": [7]}
    assert str(errors[item]) == "ZeroDivisionError: division by zero"
    assert "Traceback" in errors[item].__notes__[0]
    assert errors["iter([7])"] is None


def test_errors_of_ours_and_of_the_setup_stay_what_they_are():
    setup = partial(look_up, {}, "x", "tool")
    _, errors = told(parallel_stream(zip, [(1, 2)], workers=1, setup=setup))
    assert isinstance(errors[1, 2], RecipeError)


def test_a_process_that_dies_costs_its_item():
    crash = "(__import__('os')._exit(3) if i == 2 else i for i in range(9))"
    items = ["iter([1])", crash, "iter([2])", "iter([3])"]
    parts, errors = told(parallel_stream(eval, items, workers=2))
    assert {item: parts[item] for item in items} == {
        "iter([1])": [1],
        crash: [0, 1],
        "iter([2])": [2],
        "iter([3])": [3],
    }
    error = errors.pop(crash)
    assert type(error) is WorkerDied
    assert "exit code 3" in str(error)
    assert set(errors.values()) == {None}


def test_a_process_that_dies_once_costs_nothing_and_its_parts_come_anew(tmp_path):
    mark = str(tmp_path / "mark")
    seen = f"__import__('os').path.exists({mark!r})"
    kill = f"open({mark!r}, 'w') and __import__('os').kill(__import__('os').getpid(), 9)"
    dies = f"({kill} if i == 2 and not {seen} else i for i in range(4))"
    items = ["iter([1])", dies, "iter([2])", "iter([3])"]
    events = list(parallel_stream(eval, items, workers=2))
    mine = [event for event in events if event.item == dies]
    assert [getattr(event, "value", type(event)) for event in mine] == [
        *(0, 1, Again),
        *(0, 1, 2, 3, Outcome),
    ]
    # alone: nothing of another item comes after it began anew
    assert events[-5:] == mine[-5:]
    _, errors = told(events)
    assert errors == dict.fromkeys(items)


def test_a_part_that_cannot_travel_is_its_items_error():
    _, errors = told(parallel_stream(eval, ["iter([lambda: 0])", "iter([1])"], workers=1))
    assert "pickle" in str(errors["iter([lambda: 0])"]).lower()
    assert errors["iter([1])"] is None


def test_nobody_runs_ahead_of_what_is_used(tmp_path):
    marks = tmp_path / "marks"
    item = f"(open({str(marks)!r}, 'a').write('.') * bytes(2**20) for _ in range(200))"
    events = parallel_stream(eval, [item], workers=1, ahead=2)
    for _ in range(3):
        next(events)
    time.sleep(0.5)
    # three used, two in the queue, one in the fetching thread, one in the line, one being made
    assert 3 <= len(marks.read_text()) <= 8
    events.close()


def test_items_are_taken_as_workers_become_free_in_this_thread():
    taken = []

    def items():
        for i in range(40):
            taken.append(threading.current_thread())
            yield i

    events = parallel_stream(range, items(), workers=2)
    next(events)
    assert len(taken) <= 4
    events.close()
    assert set(taken) == {threading.current_thread()}


def test_leaving_early_leaves_no_process_and_no_thread():
    threads = threading.active_count()
    endless = "(bytes(2**20) for _ in __import__('itertools').count())"
    events = parallel_stream(eval, [endless, endless], workers=2)
    next(events)
    events.close()
    assert threading.active_count() == threads
    assert not [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


def test_nothing_to_do():
    assert list(parallel_stream(range, [], workers=2)) == []
