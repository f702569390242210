"""Claim: extraction needs less than 1.5 GB however large the slide is.

Writes sparse pyramidal JPEG TIFFs (islands of tissue on blank glass, as scanners deliver them),
extracts features of each, `colour` or those of a network, in a process of its own, and watches the
memory of that process and all its workers. Prints the peak for a small and for a large slide, and
writes JSON.

    python benchmarks/memory.py --sides 20000 100000
    python benchmarks/memory.py --sides 20000 --encoder mobilenetv2_100 --weights FILE --engine bf16
"""

import argparse
import json
import math
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import psutil
import tifffile

TILE = 512
STEP = 4
SPACING_UM = 0.25
BOUND_GB = 1.5
WORK = """
import json
import sys
from pathlib import Path
from wholecase.cohort import cohort_of_images
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Plan, extract, table_lines
from wholecase.instances import Grid

if __name__ == "__main__":
    cut = Grid(224, 0.5, {"name": "classical"})
    name, options = json.loads(sys.argv[4])
    plan = Plan(cut, EncoderSpec(name, options), Path(sys.argv[2]))
    done = extract(cohort_of_images([Path(sys.argv[1])]), plan, Place(workers=int(sys.argv[3])))
    print("\\n".join(table_lines(done)))
    sys.exit(bool(done.failures))
"""


def tissue(seed: int) -> np.ndarray:
    """A tile of something pink with dark nuclei."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 12, (TILE // 8, TILE // 8, 3)).repeat(8, 0).repeat(8, 1)
    pixels = np.array([216.0, 150.0, 190.0]) + coarse + rng.normal(0, 4, (TILE, TILE, 3))
    y, x = np.mgrid[:TILE, :TILE]
    for _ in range(150):
        centre, radius = rng.integers(0, TILE, 2), rng.integers(8, 16)
        pixels[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = (92, 62, 140)
    return pixels.clip(0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray) -> bytes:
    return imagecodecs.jpeg8_encode(
        pixels, level=80, colorspace="RGB", outcolorspace="YCBCR", subsampling="420"
    )


class Sparse:
    """Discs of tissue over a tenth of the glass; tiles wholly in or out are encoded once."""

    def __init__(self, side: int) -> None:
        rng = np.random.default_rng(1)
        self.side = side
        self.centres = rng.uniform(0.1, 0.9, (8, 2)) * side
        self.radius = side * math.sqrt(0.1 / 8 / math.pi)
        self.glass = np.full((TILE, TILE, 3), (244, 242, 245), np.uint8)
        self.pictures = [tissue(seed) for seed in range(8)]
        self.blank, self.full = encoded(self.glass), [encoded(p) for p in self.pictures]

    def tiles(self, downsample: int) -> Iterator[bytes]:
        """The encoded tiles of a level, row by row."""
        span = TILE * downsample
        for row in range(math.ceil(self.side / span)):
            for column in range(math.ceil(self.side / span)):
                yield self.tile(column, row, downsample)

    def tile(self, column: int, row: int, downsample: int) -> bytes:
        span, number = TILE * downsample, (7 * row + 3 * column) % len(self.full)
        middle = (np.array([column, row]) + 0.5) * span
        distance = np.hypot(*(self.centres - middle).T) - self.radius
        reach = span / math.sqrt(2)
        if (distance > reach).all():
            return self.blank
        if (distance < -reach).any():
            return self.full[number]
        y, x = (np.mgrid[:TILE, :TILE] + 0.5) * downsample + np.array([row, column])[
            :, None, None
        ] * span
        inside = np.zeros((TILE, TILE), bool)
        for centre in self.centres:
            inside |= (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < self.radius**2
        return encoded(np.where(inside[..., None], self.pictures[number], self.glass))


def write_sparse(path: Path, side: int) -> None:
    """A square slide of that many pixels a side."""
    drawn, downsample = Sparse(side), 1
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        while True:
            length = math.ceil(side / downsample)
            per_cm = 1e4 / (SPACING_UM * downsample)
            file.write(
                drawn.tiles(downsample),
                shape=(length, length, 3),
                dtype=np.uint8,
                tile=(TILE, TILE),
                photometric="ycbcr",
                subsampling=(2, 2),
                compression="jpeg",
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                subfiletype=int(downsample > 1),
                metadata=None,
                software=False,
            )
            if length <= 2048:
                return
            downsample *= STEP


def watched(words: list[str]) -> tuple[int, float]:
    """Peak resident bytes of a command and its children, and its seconds."""
    started, peak = time.perf_counter(), 0
    running = subprocess.Popen(words)
    tree = psutil.Process(running.pid)
    while running.poll() is None:
        try:
            family = [tree, *tree.children(recursive=True)]
            peak = max(peak, sum(one.memory_info().rss for one in family))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.02)
    if running.returncode:
        raise SystemExit(f"extraction ended with {running.returncode}")
    return peak, time.perf_counter() - started


def measure(
    folder: Path, side: int, workers: int, encoder: tuple[str, dict[str, str]]
) -> dict[str, float]:
    slide, script, store = folder / f"{side}.tif", folder / "work.py", folder / f"store-{side}"
    script.write_text(WORK)
    if not slide.exists():
        write_sparse(slide, side)
    shutil.rmtree(store, ignore_errors=True)
    words = [sys.executable, str(script), str(slide), str(store), str(workers), json.dumps(encoder)]
    peak, seconds = watched(words)
    (bag,) = store.glob("*/*.safetensors")
    return {
        "side_px": side,
        "slide_mb": slide.stat().st_size / 1e6,
        "bag_mb": bag.stat().st_size / 1e6,
        "peak_gb": peak / 1e9,
        "seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/memory"))
    parser.add_argument("--encoder", default="colour")
    parser.add_argument("--weights")
    parser.add_argument("--engine")
    given = parser.parse_args()
    options = {"weights": given.weights, "engine": given.engine}
    encoder = given.encoder, {name: value for name, value in options.items() if value}
    given.folder.mkdir(parents=True, exist_ok=True)
    found = []
    for side in given.sides:
        one = measure(given.folder, side, given.workers, encoder)
        found.append(one)
        print(
            f"{side} x {side} px ({one['slide_mb']:.0f} MB, {one['seconds']:.0f} s): "
            f"peak {one['peak_gb']:.2f} GB"
        )
    ratio = found[-1]["peak_gb"] / found[0]["peak_gb"]
    area = (found[-1]["side_px"] / found[0]["side_px"]) ** 2
    print(f"{area:.0f} times the area takes {ratio:.2f} times the memory")
    told = {
        "workers": given.workers,
        "encoder": encoder,
        "python": platform.python_version(),
        "slides": found,
    }
    (given.folder / "memory.json").write_text(json.dumps(told, indent=2) + "\n")
    if max(one["peak_gb"] for one in found) > BOUND_GB:
        raise SystemExit(f"above the bound of {BOUND_GB} GB")


if __name__ == "__main__":
    main()
