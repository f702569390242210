"""A Ctrl-C while a process is started comes to the parent, afterwards, and to nobody else."""

import os
import signal
import threading
import time

import pytest

from wholecase.execution.interrupts import deaf_children

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.mark.parametrize("threads", [0, 3])
def test_ctrl_c_waits_until_a_process_is_started(threads: int) -> None:
    # a signal that this thread masks goes to another thread, if there is one
    done = threading.Event()
    others = [threading.Thread(target=done.wait) for _ in range(threads)]
    for other in others:
        other.start()
    reached = []

    def start() -> None:
        with deaf_children():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            reached.append("the end")

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        done.set()
        for other in others:
            other.join()
    assert reached == ["the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_other_threads_start_processes_without_a_word_to_signals() -> None:
    before = signal.getsignal(signal.SIGINT)
    within: list[object] = []

    def start() -> None:
        with deaf_children():
            within.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert within == [before]
