"""Freed memory is used again without fresh pages, and given back in the end."""

import json
import platform
import subprocess
import sys

import pytest

BLOCK = 64_000_000
STEPS = f"""
import contextlib, json, resource
from pathlib import Path
from wholecase.execution import freed_memory_kept, keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bytearray({BLOCK})
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

faults()
told = {{"before": faults(), "start": resident()}}
with freed_memory_kept():
    faults()
    told |= {{"within": faults(), "kept": resident()}}
told |= {{"end": resident(), "after": faults()}}
keep_freed_memory()
faults()
told |= {{"worker": faults()}}
print(json.dumps(told))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives blocks back so")
def test_freed_blocks_are_used_again_and_given_back_in_the_end() -> None:
    done = subprocess.run([sys.executable, "-c", STEPS], stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout)
    # ten blocks of 64 MB are 156,250 pages of 4 KiB, or 305 of 2 MiB
    assert told["before"] > 290
    assert told["within"] < told["before"] / 10
    assert told["after"] > 290
    assert told["worker"] < told["before"] / 10
    assert told["kept"] - told["start"] > 0.9 * BLOCK
    assert told["end"] - told["start"] < 0.1 * BLOCK
