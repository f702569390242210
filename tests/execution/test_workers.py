"""Every item gets its outcome, whatever the others do; the functions are importable by a worker."""

import json
import os
import pickle
import signal
import subprocess
import sys
from functools import partial
from math import sqrt
from operator import mul

import psutil
import pytest

from wholecase.core.errors import RecipeError, WholecaseError, WorkerDied
from wholecase.core.lookup import look_up
from wholecase.core.outlet import telling
from wholecase.core.progress import progress
from wholecase.execution import parallel_map

EXIT = "__import__('os')._exit(3)"
KILL = "__import__('os').kill(__import__('os').getpid(), 9)"
SEGFAULT = "__import__('ctypes').string_at(0)"


@pytest.mark.parametrize("workers", [0, 2])
def test_every_item_gets_its_result(workers):
    outcomes = list(parallel_map(sqrt, [4.0, 9.0, 16.0, 25.0, 36.0], workers=workers))
    assert {o.item: o.result for o in outcomes} == {4: 2, 9: 3, 16: 4, 25: 5, 36: 6}
    assert all(o.error is None for o in outcomes)


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_become_outcomes(workers):
    known, unforeseen = (
        next(parallel_map(function, [item], workers=workers)).error
        for function, item in [(partial(look_up, {}, what="thing"), "x"), (sqrt, -1.0)]
    )
    assert type(known) is RecipeError
    assert str(known) == "no thing is called 'x'"
    assert type(unforeseen) is WholecaseError
    assert str(unforeseen).startswith("ValueError: ")
    assert "Traceback" in unforeseen.__notes__[0]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_the_system_refuses_is_a_sentence_with_path_and_cure(tmp_path, workers):
    (outcome,) = parallel_map(open, [str(tmp_path / "none" / "a.csv")], workers=workers)
    assert str(outcome.error).startswith(f"{tmp_path}/none/a.csv: no such file or directory; ")
    assert "Traceback" in outcome.error.__notes__[0]


@pytest.mark.parametrize("crash", [EXIT, SEGFAULT])
def test_a_worker_that_dies_costs_only_its_item(crash):
    items = ["1", crash, "2", "3", crash, "4"]
    outcomes = list(parallel_map(eval, items, workers=2))
    assert sorted(o.result for o in outcomes if o.error is None) == [1, 2, 3, 4]
    died = [o for o in outcomes if o.error is not None]
    assert [o.item for o in died] == [crash, crash]
    assert all(type(o.error) is WorkerDied for o in died)
    assert all("worker process died" in str(o.error) for o in died)
    assert not any(o.error.killed for o in died)  # nobody did it to them


def test_all_workers_may_die():
    outcomes = list(parallel_map(eval, [EXIT] * 3, workers=2))
    assert len(outcomes) == 3
    assert all("exit code 3" in str(o.error) for o in outcomes)


def once(mark, then, crash=KILL):
    """An item that kills its worker at the first try, and gives `then` at the second."""
    seen = f"__import__('os').path.exists({mark!r})"
    return f"({then}) if {seen} else open({mark!r}, 'w') and {crash}"


@pytest.mark.parametrize("crash", [KILL, SEGFAULT])
def test_a_worker_that_dies_once_costs_nothing(tmp_path, crash):
    items = ["1", once(str(tmp_path / "a"), "7", crash), "2", once(str(tmp_path / "b"), "8", crash)]
    outcomes = list(parallel_map(eval, items, workers=2))
    assert {o.item: (o.result, o.error) for o in outcomes} == {
        item: (result, None) for item, result in zip(items, (1, 7, 2, 8), strict=True)
    }


def test_the_second_try_is_alone(tmp_path):
    log = tmp_path / "log"
    write = f"open({str(log)!r}, 'a').write"
    sleep = "__import__('time').sleep"
    dies = once(str(tmp_path / "mark"), f"{write}('again ')")
    others = [f"({sleep}({s}), {write}('other '))" for s in (0.4, 0.1, 0.2)]
    outcomes = list(parallel_map(eval, [dies, *others], workers=2))
    assert [o.error for o in outcomes] == [None] * 4
    assert log.read_text() == "other other other again "


def test_an_item_that_is_killed_twice_says_so_and_blames_nobody():
    (outcome,) = parallel_map(eval, [KILL], workers=1)
    assert type(outcome.error) is WorkerDied
    assert (outcome.error.code, outcome.error.signal, outcome.error.killed) == (-9, "SIGKILL", True)
    assert "worker process died (SIGKILL)" in str(outcome.error)
    assert "memory" in str(outcome.error)
    assert "decoder" not in str(outcome.error)
    same = pickle.loads(pickle.dumps(outcome.error))
    assert (str(same), same.killed) == (str(outcome.error), True)


@pytest.mark.parametrize("workers", [0, 2])
def test_news_of_items_come_in_their_order_before_the_outcome(workers):
    heard = []
    code = "[__import__('wholecase.execution').execution.tell((i, {0})) for i in range(3)] and {0}"
    items = [code.format(n) for n in (5, 6, 7)]
    ended = [
        (o.result, [news for item, news in heard if item == o.item])
        for o in parallel_map(eval, items, workers=workers, heard=lambda *pair: heard.append(pair))
    ]
    assert sorted(ended) == [(n, [(0, n), (1, n), (2, n)]) for n in (5, 6, 7)]


@pytest.mark.parametrize("workers", [0, 2])
def test_progress_within_items_reaches_the_log_of_the_parent(tmp_path, workers):
    epoch = "tell({{'fold': {0}, 'epoch': i, 'loss': 1 / (i + 1)}})"
    code = f"[__import__('wholecase.execution').execution.{epoch} for i in range(3)]"
    log = tmp_path / "log.jsonl"
    with telling(quiet=True, log=log), progress("training", 6, "epochs") as advance:
        folds = [code.format(n) for n in (1, 2)]
        list(parallel_map(eval, folds, workers=workers, heard=lambda _, news: advance(**news)))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["event"], line["done"]) for line in lines] == [
        ("start", 0),
        *(("progress", n) for n in range(1, 7)),
        ("end", 6),
    ]
    told = sorted(tuple(line["facts"].values()) for line in lines[1:-1])
    assert told == [(fold, i, round(1 / (i + 1), 16)) for fold in (1, 2) for i in range(3)]


@pytest.mark.parametrize("workers", [0, 1])
def test_news_nobody_listens_to_is_lost(workers):
    item = "__import__('wholecase.execution').execution.tell('x') or 3"
    assert [o.result for o in parallel_map(eval, [item, item], workers=workers)] == [3, 3]


def test_news_that_cannot_travel_is_an_error_of_its_item():
    item = "__import__('wholecase.execution').execution.tell(lambda: 0)"
    first, second = parallel_map(eval, [item, "4"], workers=1, heard=print)
    assert "pickle" in str(first.error).lower()
    assert second.result == 4


def test_what_cannot_be_taken_over_costs_its_item():
    # it comes to pieces only here, as it is unpickled
    lost = "type('Lost', (), {'__reduce__': lambda self: (int, ('x',))})()"
    first, second = parallel_map(eval, [lost, "4"], workers=1)
    assert "cannot be taken over: ValueError" in str(first.error)
    assert second.result == 4


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("way", ["parallel_map", "parallel_stream"])
def test_workers_end_with_their_parent_in_the_middle_of_an_item(tmp_path, way):
    script = tmp_path / "parent.py"
    sleeper = "(print(__import__('os').getpid(), flush=True), __import__('time').sleep(600))"
    script.write_text(
        "from wholecase.execution import parallel_map, parallel_stream\n"
        "if __name__ == '__main__':\n"
        f"    for _ in {way}(eval, [{sleeper!r}] * 2, workers=2):\n"
        "        pass\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        workers = [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]
        parent.kill()
        _, alive = psutil.wait_procs(workers, timeout=10)
        for one in alive:
            one.kill()
    assert not alive


@pytest.mark.parametrize("workers", [0, 1])
def test_setup_is_made_once_per_worker_and_handed_over(workers):
    # the tool is the namespace in which `eval` finds the names of an item
    setup = partial(eval, "{'count': __import__('itertools').count()}")
    outcomes = list(parallel_map(eval, ["next(count)"] * 3, workers=workers, setup=setup))
    assert [(o.result, o.error) for o in outcomes] == [(0, None), (1, None), (2, None)]


def test_a_failing_setup_is_each_items_error():
    outcomes = list(parallel_map(mul, [1, 2], workers=1, setup=partial(look_up, {}, "x", "tool")))
    assert [str(o.error) for o in outcomes] == ["no tool is called 'x'"] * 2


def test_a_result_that_cannot_travel_is_an_error_of_its_item():
    outcomes = list(parallel_map(eval, ["lambda: 0", "7"], workers=1))
    assert "cannot be handed over" in str(outcomes[0].error)
    assert outcomes[1].result == 7


def test_nothing_to_do():
    assert list(parallel_map(sqrt, [], workers=2)) == []


def test_items_are_taken_only_as_workers_become_free():
    taken = []

    def items():
        for i in range(50):
            taken.append(i)
            yield float(i)

    outcomes = parallel_map(sqrt, items(), workers=2)
    next(outcomes)
    assert len(taken) <= 3
    outcomes.close()


def test_one_thread_in_each_worker():
    question = (
        "[__import__('os').environ['OMP_NUM_THREADS'], __import__('cv2').getNumThreads(),"
        " __import__('torch').get_num_threads()]"
    )
    before = dict(os.environ)
    # the second item finds the libraries loaded
    outcomes = list(parallel_map(eval, [question, question], workers=1))
    assert [o.result for o in outcomes][1] == ["1", 1, 1]
    assert dict(os.environ) == before


def test_the_process_itself_keeps_its_threads():
    import cv2

    before = cv2.getNumThreads()
    question = "__import__('cv2').getNumThreads()"
    assert next(parallel_map(eval, [question], workers=0)).result == 1
    assert cv2.getNumThreads() == before


def test_leaving_early_leaves_no_process():
    outcomes = parallel_map(eval, ["1", "__import__('time').sleep(600)"], workers=2)
    next(outcomes)
    outcomes.close()
    assert not [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a console, not to a process")
def test_ctrl_c_stops_cleanly(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        "from wholecase.execution import parallel_map\n"
        "if __name__ == '__main__':\n"
        "    for o in parallel_map(eval, ['1', \"__import__('time').sleep(600)\"], workers=2):\n"
        "        print(o.result, flush=True)\n"
    )
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout.readline() == "1\n"
        # the other worker may be anywhere now: still importing, or at its item
        os.killpg(running.pid, signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    # the parent's own traceback, and none from a worker
    assert errors.count("Traceback") == 1
    assert errors.strip().endswith("KeyboardInterrupt")
