"""A lock has one owner; that of a dead one, or of one long silent, goes to the next."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from wholecase.core import lock as locking
from wholecase.core.errors import StoreError
from wholecase.core.lock import acquire, is_held
from wholecase.features import Store, tidy

SETTINGS = {"encoder": "drawn@1", "width": 5}


def elsewhere(path, *, since_s=0.0):
    """A lock of a process on another machine, last touched so many seconds ago."""
    path.write_text(json.dumps({"host": "another", "pid": 1, "born": 0.0, "token": "x"}))
    os.utime(path, (time.time() - since_s,) * 2)
    return path


def killed_owner(path):
    """A lock whose owner was killed with it in hand."""
    code = (
        "import sys, time, pathlib\n"
        "from wholecase.core.lock import acquire\n"
        f"lock = acquire(pathlib.Path({str(path)!r}))\n"
        "print('held' if lock else 'not', flush=True)\n"
        "time.sleep(600)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout.readline() == "held\n"
    assert is_held(path)
    assert acquire(path) is None
    owner.kill()
    # not reaped yet: a zombie owns nothing
    return owner


def test_one_owner_at_a_time(tmp_path):
    path = tmp_path / "a.lock"
    lock = acquire(path)
    assert acquire(path) is None
    assert is_held(path)
    lock.release()
    assert not path.exists()
    with acquire(path):
        assert is_held(path)
    assert not is_held(path)


def test_of_many_threads_one_gets_it(tmp_path):
    path, got, ready = tmp_path / "a.lock", [], threading.Barrier(8)

    def grab():
        ready.wait()
        got.append(acquire(path))

    threads = [threading.Thread(target=grab) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [lock for lock in got if lock]
    winner.release()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    path = tmp_path / "a.lock"
    with killed_owner(path) as owner:
        deadline = time.time() + 10
        while (lock := acquire(path)) is None and time.time() < deadline:
            time.sleep(0.01)
        assert lock is not None
        assert owner.wait() == -signal.SIGKILL
    lock.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("since_s", "free"), [(0.0, False), (590.0, False), (610.0, True)])
def test_a_lock_of_another_machine_is_its_own_until_it_falls_silent(tmp_path, since_s, free):
    path = elsewhere(tmp_path / "a.lock", since_s=since_s)
    assert is_held(path) is not free
    lock = acquire(path)
    assert (lock is not None) is free
    if lock:
        lock.release()


@pytest.mark.parametrize(("since_s", "free"), [(0.0, False), (20.0, True)])
def test_a_lock_without_a_name_is_soon_nobodys(tmp_path, since_s, free):
    path = tmp_path / "a.lock"
    path.touch()
    os.utime(path, (time.time() - since_s,) * 2)
    lock = acquire(path)
    assert (lock is not None) is free
    if lock:
        lock.release()


def test_the_owner_touches_its_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "BEAT_S", 0.02)
    path = tmp_path / "a.lock"
    with acquire(path):
        os.utime(path, (0, 0))
        deadline = time.time() + 10
        while path.stat().st_mtime == 0 and time.time() < deadline:
            time.sleep(0.01)
        assert path.stat().st_mtime > 0


def test_a_lock_that_was_taken_over_is_not_released_by_its_first_owner(tmp_path):
    path = tmp_path / "a.lock"
    first = acquire(path)
    os.utime(path, (0, 0))  # as if this process had slept for years
    second = acquire(path)
    assert second is not None
    first.release()
    assert is_held(path)
    second.release()
    assert not path.exists()


def test_of_many_threads_one_takes_a_stale_lock_over(tmp_path):
    for _ in range(20):
        path, got, ready = elsewhere(tmp_path / "a.lock", since_s=9e3), [], threading.Barrier(6)

        def grab(path=path, got=got, ready=ready):
            ready.wait()
            got.append(acquire(path))

        threads = [threading.Thread(target=grab) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [lock for lock in got if lock]
        assert len(winners) == 1
        winners[0].release()
    assert list(tmp_path.iterdir()) == []


def test_claims_of_a_store_are_by_key(tmp_path):
    store = Store(tmp_path, SETTINGS)
    with store.claim("a"):
        assert store.claim("a") is None
        assert store.is_claimed("a")
        assert not store.is_claimed("b")
        with store.claim("b"):
            pass
    assert store.keys() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_tidying_removes_what_the_dead_left_and_nothing_else(tmp_path):
    store = Store(tmp_path, SETTINGS)
    owner = killed_owner(store.lock("dead"))
    owner.wait()
    owner.stdout.close()
    litter = store.folder / ".dead.0a1b2c3d.part.safetensors"
    old = store.folder / ".other.0a1b2c3d.part.safetensors"
    young = store.folder / ".young.0a1b2c3d.part.safetensors"
    for path in (litter, old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 4000,) * 2)
    foreign = elsewhere(store.lock("foreign"))
    stale = elsewhere(store.lock("stale"), since_s=4000)
    notes = store.folder / ".notes"
    notes.write_text("of a user")
    assert tidy(store.folder) == 4
    assert not any(path.exists() for path in (litter, old, store.lock("dead"), stale))
    assert all(path.exists() for path in (young, foreign, notes, store.folder / "settings.json"))
    assert tidy(store.folder) == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind here")
def test_a_folder_without_rights_is_told_in_a_sentence(tmp_path):
    store = Store(tmp_path, SETTINGS)
    store.folder.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        store.claim("a")
    store.folder.chmod(0o700)
