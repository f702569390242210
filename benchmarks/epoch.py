"""Claim: an epoch of PatchCamelyon's size runs in the memory of a small machine.

Writes the three sides in the official sizes and the published form (drawn patches,
each shifted, turned and shaded anew, so that no two are equal), then goes the way of a run: the
manifest, decoding into packs, the recipe `pcam-attention`, and the loop that teaches it. Of the
epoch only the first steps are taken, in the order of the whole epoch, so that reading is as
scattered as it really is. Prints seconds and the peak of memory of each stage, and what a whole
epoch would take.

    python benchmarks/epoch.py
    python benchmarks/epoch.py --patches 262144 --steps 200 --device cuda --precision bfloat16
"""

import argparse
import itertools
import json
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, final

import h5py
import numpy as np
import psutil
import torch

from wholecase.answer import examples_of
from wholecase.assemble import bags_of, batches_of, labels_of, model_of, schedule_of
from wholecase.cohort import Case, read_cohort
from wholecase.cohort.importers import pcam, write_long_manifest
from wholecase.core.files import write_text
from wholecase.execution import Place, freed_memory_kept
from wholecase.extract import Extraction
from wholecase.models import Batch
from wholecase.phantoms import draw_patches
from wholecase.recipes import Recipe, read_recipe
from wholecase.training import Batches, fit

DRAWN = 1000
BLOCK = 1024
SIDE = 96
STEM = "camelyonpatch_level_2_split_"
A_SLIDE = 1200
"""Patches of one slide, about, as published."""
Made = TypeVar("Made")


@final
class First(Batches):
    """The first batches of each epoch, and when they were asked for."""

    def __init__(self, batches: Batches, steps: int) -> None:
        super().__init__(batches._examples, 1, None, batches._instances)
        self._batches, self._steps = batches, steps
        self.cases = 0

    def epoch(self, number: int) -> Iterator[Batch]:
        for batch in itertools.islice(self._batches.epoch(number), self._steps):
            self.cases += len(batch.cases)
            yield batch

    def once(self) -> Iterator[Batch]:
        yield from itertools.islice(self._batches.once(), self._steps)


def write_side(folder: Path, side: str, count: int, drawn: tuple[np.ndarray, np.ndarray]) -> None:
    patches, labels = drawn
    rng = np.random.default_rng([count, *side.encode()])  # no two sides alike
    chosen = rng.integers(0, len(patches), count)
    with h5py.File(folder / f"{STEM}{side}_x.h5", "w") as file:
        data = file.create_dataset("x", (count, SIDE, SIDE, 3), np.uint8)
        for start in range(0, count, BLOCK):
            data[start : start + BLOCK] = [
                varied(patches[i], rng) for i in chosen[start : start + BLOCK]
            ]
    with h5py.File(folder / f"{STEM}{side}_y.h5", "w") as file:
        file["y"] = labels[chosen].astype(np.uint8).reshape(-1, 1, 1, 1)
    rows = [
        f"{i},{i},{bool(labels[j])},{bool(labels[j])},{side}_{i // A_SLIDE:03d}"
        for i, j in enumerate(chosen)
    ]
    header = "coord_y,coord_x,tumor_patch,center_tumor_patch,wsi"
    write_text(folder / f"{STEM}{side}_meta.csv", "\n".join([header, *rows]) + "\n")


def varied(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turned, mirrored, shaded: another file content, the same label."""
    turned = np.rot90(patch, int(rng.integers(4)))[:: int(rng.choice((-1, 1)))]
    shaded = turned * rng.uniform(0.9, 1.1, 3) + rng.uniform(-6, 6)
    return np.clip(shaded, 0, 255).astype(np.uint8)


def drawn_patches(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    draw_patches(folder, patches=DRAWN, seed=1, workers=2)
    pixels, labels = [], []
    for side in ("train", "valid", "test"):
        with h5py.File(folder / f"{STEM}{side}_x.h5") as file:
            pixels.append(file["x"][:])
        with h5py.File(folder / f"{STEM}{side}_y.h5") as file:
            labels.append(file["y"][:].ravel())
    return np.concatenate(pixels), np.concatenate(labels)


def stage(name: str, act: Callable[[], Made], told: dict[str, dict[str, float]]) -> Made:
    """Do it and tell seconds and the peak of memory, of this process and its children."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            peak[0] = max(peak[0], resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        made = act()
    finally:
        seconds = time.perf_counter() - started
        over.set()
        watcher.join()
    told[name] = {"seconds": seconds, "peak_bytes": max(peak[0], resident())}
    print(f"{name}: {seconds:.1f} s, peak {told[name]['peak_bytes'] / 2**30:.2f} GiB", flush=True)
    return made


def resident() -> int:
    """Private and shared bytes, each counted once."""
    total = 0
    process = psutil.Process()
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss if psutil.LINUX else one.memory_info().rss
        except psutil.Error:
            continue
    return total


def taught(
    recipe: Recipe, sides: dict[str, list[Case]], extraction: Extraction, given: argparse.Namespace
) -> int:
    """Take the steps; returns the patches that were learnt from."""
    torch.set_num_threads(given.threads)
    model = model_of(recipe, extraction.width, 2, 1).to(given.device)
    batches = {
        side: batches_of(recipe, examples_of(cases, extraction, classes=2), 1)
        for side, cases in sides.items()
    }
    first = First(batches["train"], given.steps), First(batches["valid"], 1)
    with freed_memory_kept():
        fit(model, first, schedule_of(recipe), seed=1)
    return first[0].cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=262_144)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--folder", type=Path, help="kept; a temporary one is not")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/epoch.json"))
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp())
    data = folder / "published"
    told: dict[str, dict[str, float]] = {}
    try:
        if not data.is_dir():
            stage("writing the published form", lambda: write(data, given.patches), told)
        measured(data, folder, given, told)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    machine = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__}
    options = {k: v for k, v in vars(given).items() if k not in {"folder", "out"}}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**machine, **options, "stages": told}, indent=2))
    print(given.out)


def write(data: Path, patches: int) -> None:
    data.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as drawing:
        drawn = drawn_patches(Path(drawing))
    for side, count in (("train", patches), ("valid", patches // 8), ("test", patches // 8)):
        write_side(data, side, count, drawn)


def measured(
    data: Path, folder: Path, given: argparse.Namespace, told: dict[str, dict[str, float]]
) -> None:
    recipe = read_recipe("pcam-attention", [f"train.precision={given.precision}", "train.epochs=1"])
    manifest = folder / "cohort.csv"
    manifest.unlink(missing_ok=True)
    stage("writing the manifest", lambda: write_long_manifest(pcam(data), manifest), told)
    cohort = stage("reading the manifest", lambda: read_cohort(manifest, labels_of(recipe)), told)
    extraction = stage(
        "decoding, 2 workers",
        lambda: bags_of(recipe, cohort, folder / "store", Place("cpu", 2)),
        told,
    )
    sides: dict[str, list[Case]] = {"train": [], "valid": [], "test": []}
    for case in cohort.cases:
        sides[case.id.split("-")[0]].append(case)
    name = f"{given.steps} steps, judging a batch"
    cases = stage(name, lambda: taught(recipe, sides, extraction, given), told)
    a_patch = told[name]["seconds"] / cases
    print(
        f"{1000 * a_patch:.1f} ms a patch with {given.threads} threads on {given.device}; an epoch "
        f"of {len(sides['train']):,} patches takes about {a_patch * len(sides['train']) / 60:.0f} "
        "min, and judging the validation side comes on top"
    )


if __name__ == "__main__":
    main()
