"""Claim: whatever a file claims, it is refused, told of or read right, in bounded time and memory.

Spoils real files (cut, bits, blocks, tags, attributes, words), sends each through `check` and
`extract`, and holds what was read against the sound file and a second reader. Prints a line for
each kind and one for each fault, writes JSON, and ends with 1 where there was a fault.

    python benchmarks/soak --files 1000 --seconds 600 --seed 0
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before the libraries are loaded; the workers inherit it

from mutate import ANY  # noqa: E402
from samples import KINDS, Kind, Sample  # noqa: E402
from watched import FAULT, Result, Task, done, shuffled  # noqa: E402

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
OUTCOMES = ("refused", "told", "right", "WRONG", FAULT)


def tasks_of(kinds: dict[str, list[Sample]], files: int, seed: int) -> list[Task]:
    """As many of each kind as its share says, its samples and changes in turn."""
    tasks = []
    whole = sum(KINDS[name].share for name in kinds)
    for place, (name, samples) in enumerate(kinds.items()):
        changes = changes_of(KINDS[name])
        for i in range(round(files * KINDS[name].share / whole)):
            sample, (how, change) = samples[i % len(samples)], changes[i % len(changes)]
            tasks.append(Task(len(tasks), sample, how, change, (seed, place, i)))
    return shuffled(tasks, seed)


def changes_of(kind: Kind) -> list:
    claimed = [(change.__name__, change) for change in kind.claims]
    return [*(kind.changes or ANY).items(), *claimed]


def found(data: Path, folder: Path, wanted: list[str]) -> dict[str, list[Sample]]:
    """The samples of every kind that is there."""
    kinds = {}
    for name in wanted:
        if samples := list(KINDS[name].samples(data, folder)):
            kinds[name] = samples
        else:
            print(f"{name}: no file in {data}, left out")
    return kinds


def told(results: list[Result]) -> None:
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.task.sample.kind].append(result)
    print(f"{'kind':14}{'files':>6}" + "".join(f"{o:>9}" for o in OUTCOMES) + "  slowest   most MB")
    for kind, own in [*sorted(by_kind.items()), ("all", results)]:
        counts = Counter(result.outcome for result in own)
        row = "".join(f"{counts[outcome]:9}" for outcome in OUTCOMES)
        slow, large = max(r.seconds for r in own), max(r.memory_mb for r in own)
        print(f"{kind:14}{len(own):6}{row}{slow:8.1f}s{large:10.0f}")


def line(result: Result) -> str:
    task = result.task
    said = f"{task.sample.kind} {task.sample.path.name} {task.name} seed {task.seed}"
    return f"{result.outcome} {said}: {result.why.strip()[-1500:]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most-seconds", type=float, default=30, help="of one file")
    parser.add_argument("--most-mb", type=float, default=1500, help="of one process")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    began, results = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as name:
        samples = Path(name) / "samples"
        samples.mkdir()
        tasks = tasks_of(found(asked.data, samples, asked.kinds), asked.files, asked.seed)
        for result in done(tasks, asked.workers, Path(name), asked.most_seconds, asked.most_mb):
            results.append(result)
            if result.outcome in {"WRONG", FAULT}:
                print(line(result), flush=True)
            if time.perf_counter() - began > asked.seconds:
                print(f"stopped after {asked.seconds:g} s, {len(tasks) - len(results)} files left")
                break
    told(results)
    print(f"{len(results)} files in {time.perf_counter() - began:.0f} s, seed {asked.seed}")
    if asked.json:
        rows = [
            {
                "file": str(r.task.sample.path.name),
                "kind": r.task.sample.kind,
                "change": r.task.name,
                "seed": r.task.seed,
                "outcome": r.outcome,
                "why": r.why,
                "seconds": r.seconds,
                "memory_mb": r.memory_mb,
            }
            for r in results
        ]
        asked.json.write_text(json.dumps(rows, indent=1))
    sys.exit(any(result.outcome in {"WRONG", FAULT} for result in results))


if __name__ == "__main__":
    main()
