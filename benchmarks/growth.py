"""Claim: time grows no faster than tiles, slides and folds do, memory only with the largest bag.

Draws feature files as other tools write them and makes whole runs of them in one process: features
are taken into a store, then folds learn, are judged, evaluated and reported. Three series change
one thing each: tiles per slide, slides of the cohort, folds. Each point has a process of its own,
so that none meets another's memory. Prints CPU seconds beyond loading the libraries, peak memory
beyond them, and exponents: the slope of the logarithm of the seconds over that of the size (1 is
linear), of all points and of the last two, where constant work weighs least. Writes JSON.

    python benchmarks/growth.py
    python benchmarks/growth.py --tiles 1000 10000 100000 1000000 --slides 10 100 1000 10000
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

WIDTH, EPOCHS = 64, 2
FIXED = {"tiles": 50, "slides": 40, "folds": 2}
FEW_SLIDES = 8
"""Where the tiles of a slide grow."""


def write_cohort(folder: Path, slides: int, tiles: int) -> Path:
    """Files of CLAM's kind; half of the slides have some tiles unlike those of the others."""
    rng = np.random.default_rng(1)
    rows = ["case_id,patient_id,path,label,kind"]
    for number in range(slides):
        values = rng.standard_normal((tiles, WIDTH), dtype=np.float32)
        values[: tiles // 2, 3] += 4.0 * (number % 2)
        with h5py.File(folder / f"s{number}.h5", "w") as file:
            file["features"] = values
            file["coords"] = np.stack(np.divmod(np.arange(tiles), 400), 1)[:, ::-1] * 512
        label = ("wild-type", "mutated")[number % 2]
        rows.append(f"c{number},p{number},s{number}.h5,{label},features")
    path = folder / "cohort.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def measured(folder: Path, tiles: int, slides: int, folds: int) -> dict[str, float]:
    """CPU seconds of taking features in, and of the run on them; MiB at most, beyond the start."""
    from wholecase.assemble import plan_of
    from wholecase.cohort import read_cohort
    from wholecase.execution import Place
    from wholecase.experiment import Settings, run
    from wholecase.extract import extract
    from wholecase.recipes import read_recipe

    cohort, place = write_cohort(folder, slides, tiles), Place("cpu", 0)
    changed = (f"protocol.folds={folds}", f"train.epochs={EPOCHS}", "evaluate.bootstrap=100")
    recipe = read_recipe("egfr-clam", ["encoder=stored", "evaluate.pictures=0", *changed])
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    extract(read_cohort(cohort, None), plan_of(recipe, folder / "features"), place)
    taken = time.process_time()
    run(recipe, cohort, Settings(out=folder / "run", store=folder / "features", place=place))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "features": taken - begun,
        "run": time.process_time() - taken,
        "peak_mib": (peak - before) / 1024,
    }


def point(**changed: int) -> dict[str, float]:
    """The same in a process of its own."""
    sizes = FIXED | changed
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, "--point", folder, *map(str, sizes.values())]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def exponents(sizes: list[int], seconds: list[float]) -> dict[str, float]:
    """Slopes of the logarithms: over all points, and over the last two."""
    x, y = np.log(sizes), np.log(np.maximum(seconds, 1e-3))
    return {
        "all": float(np.polyfit(x, y, 1)[0]),
        "last": float((y[-1] - y[-2]) / (x[-1] - x[-2])),
    }


def series(what: str, sizes: list[int], **fixed: int) -> dict[str, object]:
    rows = []
    for size in sizes:
        rows.append(point(**fixed, **{what: size}))
        told = rows[-1]
        print(
            f"{size:>9,} {what:7} features {told['features']:7.2f} CPU s, run {told['run']:7.2f} "
            f"CPU s, {told['peak_mib']:6.0f} MiB",
            flush=True,
        )
    slopes = {name: exponents(sizes, [r[name] for r in rows]) for name in ("features", "run")}
    for name, one in slopes.items():
        print(f"  {name}: exponent {one['all']:.2f}, of the last two {one['last']:.2f}")
    return {"sizes": sizes, "rows": rows, "exponents": slopes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--slides", type=int, nargs="+", default=[30, 100, 300, 1000])
    parser.add_argument("--folds", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/growth.json"))
    parser.add_argument("--point", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.point:
        folder, *sizes = given.point
        print(json.dumps(measured(Path(folder), *map(int, sizes))))
        return
    results = {
        "machine": platform.processor() or platform.machine(),
        "tiles": series("tiles", given.tiles, slides=FEW_SLIDES),
        "slides": series("slides", given.slides),
        "folds": series("folds", given.folds),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=2) + "\n")
    print(given.out)


if __name__ == "__main__":
    main()
