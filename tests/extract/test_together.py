"""Several processes on one store share the work; none waits for the dead."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extract.conftest import cohort_of, files, plan_in
from wholecase.core.errors import StoreError
from wholecase.execution import Place
from wholecase.extract import extract

SCRIPT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from extract.conftest import cohort_of, plan_in
from wholecase.cohort import Image
from wholecase.execution import Place
from wholecase.extract import extract

if __name__ == "__main__":
    folder = Path({folder!r})
    images = [Image(p, "slide", 2, mpp=0.5) for p in sorted(folder.glob("*.tif"))]
    print("ready", flush=True)
    sys.stdin.readline()
    done = extract(cohort_of(folder, *images), plan_in(folder / "shared"), Place(workers={workers}))
    print(done.encoded, done.reused, len(done.failures), flush=True)
"""


@pytest.fixture
def many(tmp_path, drawn):
    slides = [drawn(f"{i:02}.tif", i, tiles=5) for i in range(14)]
    return cohort_of(tmp_path, *(slide.image for slide in slides))


def started(tmp_path, workers):
    script = tmp_path / "work.py"
    tests = str(Path(__file__).resolve().parents[1])
    script.write_text(SCRIPT.format(tests=tests, folder=str(tmp_path), workers=workers))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, str(script)], text=True, **pipes)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("workers", [0, 1])
def test_two_processes_do_nothing_twice(tmp_path, many, workers):
    alone = extract(many, plan_in(tmp_path / "alone"), Place(workers=0))
    two = [started(tmp_path, workers) for _ in range(2)]
    for process in two:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in two]
    counts = [[int(word) for word in words] for words in told]
    # each sees all images in the store at the end, and together they encoded each once
    assert [encoded + reused for encoded, reused, _ in counts] == [14, 14]
    assert sum(encoded for encoded, _, _ in counts) == alone.encoded == 14
    assert all(encoded > 0 for encoded, _, _ in counts)
    assert files(tmp_path / "shared") == files(tmp_path / "alone")


def test_an_image_that_another_process_has_in_hand_is_waited_for(tmp_path, drawn, capsys):
    slides = [drawn(f"{i}.tif", i, tiles=2) for i in range(2)]
    cohort = cohort_of(tmp_path, *(slide.image for slide in slides))
    plan = plan_in(tmp_path / "shared")
    extract(cohort, plan, Place(workers=0))
    before = files(tmp_path / "shared")
    bag, _ = sorted((tmp_path / "shared").glob("*/*.safetensors"))
    bag.unlink()
    code = (
        "import sys, time, pathlib\n"
        "from wholecase.core.lock import acquire\n"
        f"lock = acquire(pathlib.Path({str(bag.with_name(f'.{bag.stem}.lock'))!r}))\n"
        "print('held', flush=True)\n"
        "time.sleep(2.5)\n"
        "lock.release()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        started = time.perf_counter()
        found = extract(cohort, plan, Place(workers=0))
        assert time.perf_counter() - started > 0.5
        said = [line for line in capsys.readouterr().err.splitlines() if "waiting" in line]
        (line,) = said  # once, however long it takes
        assert re.search(rf"waiting for .*tif, held by process {other.pid} on .*, since 2", line)
        assert f"{bag.stem}.lock" in line
    # the other one gave up without a bag, so it was made here
    assert (found.encoded, found.reused) == (1, 1)
    assert files(tmp_path / "shared") == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of a file's size")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_stops_with_a_sentence_and_goes_on_later(tmp_path, many, workers):
    import resource

    plan = plan_in(tmp_path / "shared")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        with pytest.raises(StoreError, match=r"cannot be written.*repeat the command"):
            extract(many, plan, Place(workers=workers))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (folder,) = (tmp_path / "shared").iterdir()
    left = {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}
    assert left == {"settings.json"}
    extract(many, plan, Place(workers=workers))
    extract(many, plan_in(tmp_path / "alone"), Place(workers=0))
    assert files(tmp_path / "shared") == files(tmp_path / "alone")
