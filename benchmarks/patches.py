"""Claim: shuffled batches of patches come at 10,000 a second or more, in flat memory.

Writes patches of noise as PatchCamelyon keeps its own (HDF5, `x` [N, 96, 96, 3]) and as one `.npy`
file, then reads them in shuffled batches, each way in a process of its own on one core with a warm
cache: by h5py row by row, by `IndexedImages`, by `Rows`, and by a memory map. Prints patches per
second and by how much the process grew, and writes JSON.

    python benchmarks/patches.py
    python benchmarks/patches.py --patches 100000 --batch 64
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import psutil

from wholecase.features import Rows, write_rows_in_blocks
from wholecase.sources import IndexedImages

SIDE = 96
BLOCK = 1000
PACKED = 8
"""Rows in a piece of the packed file."""
PASSES = 3

Read = Callable[[np.ndarray], np.ndarray]


def blocks(patches: int) -> Iterator[np.ndarray]:
    """Squares of noise, which can be packed a little."""
    rng = np.random.default_rng(1)
    for start in range(0, patches, BLOCK):
        many = min(BLOCK, patches - start)
        coarse = rng.integers(0, 256, (many, SIDE // 4, SIDE // 4, 3), dtype=np.uint8)
        yield coarse.repeat(4, axis=1).repeat(4, axis=2)


def write(folder: Path, patches: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (patches, SIDE, SIDE, 3)
    write_rows_in_blocks(folder / "x.npy", shape, blocks(patches))
    how = {"chunks": (PACKED, SIDE, SIDE, 3), "compression": "gzip", "compression_opts": 1}
    for name, options in {"plain": {}, "packed": how}.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            data = file.create_dataset("x", shape, np.uint8, **options)
            for i, block in enumerate(blocks(patches)):
                data[i * BLOCK : i * BLOCK + len(block)] = block


def row_by_row(path: Path) -> Read:
    data = h5py.File(path)["x"]
    return lambda rows: np.stack([data[row] for row in rows.tolist()])


def mapped(path: Path) -> Read:
    data = np.load(path, mmap_mode="r")
    return lambda rows: data[rows]


WAYS: dict[str, tuple[str, Callable[[Path], Read]]] = {
    "h5py, row by row": ("plain.h5", row_by_row),
    "IndexedImages": ("plain.h5", lambda path: IndexedImages(path).read),
    "h5py, row by row, packed": ("packed.h5", row_by_row),
    "IndexedImages, packed": ("packed.h5", lambda path: IndexedImages(path).read),
    "Rows": ("x.npy", lambda path: Rows(path).read),
    "memory map": ("x.npy", mapped),
}


def measure(folder: Path, way: str, patches: int, batch: int) -> dict[str, object]:
    """Shuffled passes over all patches; the first warms the cache and does not count."""
    name, opener = WAYS[way]
    read, process = opener(folder / name), psutil.Process()
    rng, speeds = np.random.default_rng(1), []
    before, most = process.memory_info().rss, 0
    for _ in range(PASSES + 1):
        order, begun = rng.permutation(patches), time.perf_counter()
        for start in range(0, patches, batch):
            read(order[start : start + batch])
        speeds.append(patches / (time.perf_counter() - begun))
        most = max(most, process.memory_info().rss)
    return {"patches_per_s": speeds[1:], "grown_mb": (most - before) / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/patches"))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(measure(given.folder, given.way, given.patches, given.batch)))
        return
    write(given.folder, given.patches)
    found = {}
    for way in WAYS:
        same = [f"--{name}={getattr(given, name)}" for name in ("patches", "batch", "folder")]
        done = subprocess.run(
            [sys.executable, __file__, *same, f"--way={way}"],
            check=True,
            capture_output=True,
            text=True,
        )
        found[way] = json.loads(done.stdout)
        speeds = found[way]["patches_per_s"]
        print(
            f"{way:26} {statistics.median(speeds):9,.0f} patches/s ({min(speeds):,.0f} to "
            f"{max(speeds):,.0f}), grown by {found[way]['grown_mb']:.0f} MB"
        )
    told = {
        "patches": given.patches,
        "batch": given.batch,
        "python": platform.python_version(),
        "ways": found,
    }
    (given.folder / "patches.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
