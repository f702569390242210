"""Claim: pcam-attention in ONNX answers a patch within 10 ms on one core, in eight bits in 4.

Exports a finished run on pixels, or the 494,337-number network with random weights, in single
precision and in eight bits. Asks torch (the toolkit itself), onnxruntime and onnxruntime in eight
bits in turn, batch after batch, so that all meet the same load of the machine. Prints sizes, CPU
milliseconds per patch of one thread (median and quartiles over rounds), and what eight bits cost on
patches that their ranges were not set on: in probability, in decisions, and in AUROC with an
interval by slide; writes JSON. Patches are drawn by another seed than `wholecase phantom` takes, or
given. With random weights the cost is not told: it would mean nothing.

    wholecase run pcam-attention --cohort cohort.csv --out runs/pcam
    python benchmarks/edge.py --run runs/pcam
    python benchmarks/edge.py --run runs/pcam --patches patches.npy --labels labels.npy
"""

import argparse
import csv
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np
import onnxruntime
import torch

from wholecase.answer import load_run
from wholecase.assemble import model_of
from wholecase.evaluation import METRICS, Scores, apply_temperature, paired_difference
from wholecase.models import Batch, Calibrated, export_onnx, predict, quantise, trainable
from wholecase.models.quantise import halves
from wholecase.phantoms import draw_patches
from wholecase.recipes import read_recipe

SIDE, DRAWN, SEED = 96, 1200, 31
BATCHES = (1, 32)
Ask = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Asked:
    """Patches [M, 3, 96, 96], their labels and slides."""

    pixels: np.ndarray
    labels: np.ndarray | None
    slides: tuple[str, ...]


def models_of(run: Path | None) -> tuple[list[Calibrated], float]:
    """The models and the threshold of their mean."""
    if run is None:
        return [Calibrated(model_of(read_recipe("pcam-attention"), 3, 2, 1).eval())], 0.5
    trained = load_run(run, "cpu")
    told = [Calibrated(m.model, m.choices.temperature) for m in trained.members]
    return told, 0.5 if trained.threshold is None else trained.threshold


def drawn(folder: Path, count: int) -> Asked:
    draw_patches(folder, patches=count, seed=SEED)
    pixels, labels, slides = [], [], []
    for side in ("train", "valid", "test"):
        stem = f"camelyonpatch_level_2_split_{side}"
        pixels.append(h5py.File(folder / f"{stem}_x.h5")["x"][:])
        labels.append(h5py.File(folder / f"{stem}_y.h5")["y"][:].ravel())
        with (folder / f"{stem}_meta.csv").open(newline="") as file:
            slides += [row["wsi"] for row in csv.DictReader(file)]
    values = np.concatenate(pixels).transpose(0, 3, 1, 2)
    return Asked(np.ascontiguousarray(values), np.concatenate(labels), tuple(slides))


def given_patches(patches: Path, labels: Path | None) -> Asked:
    values = np.load(patches)
    if values.shape[1] != 3:
        values = values.transpose(0, 3, 1, 2)
    truth = None if labels is None else np.load(labels).ravel()
    own = tuple(str(i) for i in range(len(values)))
    return Asked(np.ascontiguousarray(values), truth, own)


def toolkit(members: list[Calibrated]) -> Ask:
    def ask(values: np.ndarray) -> np.ndarray:
        names = tuple(str(i) for i in range(len(values)))
        batch = Batch(torch.from_numpy(values), torch.arange(len(values) + 1), names, names)
        rows = [apply_temperature(predict(m.model, [batch]), m.temperature) for m in members]
        return np.mean(rows, 0)

    return ask


def onnx(path: Path) -> Ask:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return lambda values: session.run(None, {"pixels": values})[0]


def timed(ways: dict[str, Ask], pixels: np.ndarray, rounds: int) -> dict[str, dict[str, list]]:
    """CPU milliseconds per patch, by way and batch, a number for each round."""
    taken: dict[str, dict[str, list]] = {way: {str(b): [] for b in BATCHES} for way in ways}
    for turn in range(rounds + 1):
        for size in BATCHES:
            for way, ask in ways.items():
                begun = time.process_time()
                for start in range(0, BATCHES[-1], size):
                    ask(pixels[start : start + size])
                each = (time.process_time() - begun) / BATCHES[-1] * 1000
                if turn:  # the first warms up and does not count
                    taken[way][str(size)].append(each)
    return taken


def cost(asked: Asked, full: Ask, small: Ask, threshold: float) -> dict[str, object]:
    """Of eight bits, on the patches that `quantise` did not set its ranges on."""
    held = halves(len(asked.pixels))[1].tolist()
    both = [np.concatenate([ask(asked.pixels[i : i + 1]) for i in held]) for ask in (small, full)]
    off = np.abs(both[0] - both[1])
    decided = [(rows[:, 1] > threshold).astype(int) for rows in both]
    told: dict[str, object] = {
        "patches": len(held),
        "mean": float(off.mean()),
        "largest": float(off.max()),
        "decisions changed": int((decided[0] != decided[1]).sum()),
    }
    if asked.labels is None:
        return told
    truth, slides = asked.labels[held].astype(np.int64), tuple(asked.slides[i] for i in held)
    # single precision sums to one to its own digits only
    scores = [
        Scores(truth, (r := rows.astype(float)) / r.sum(1, keepdims=True), d, slides)
        for rows, d in zip(both, decided, strict=True)
    ]
    for name, one in zip(("eight bits", "single precision"), scores, strict=True):
        told[f"auroc, {name}"] = METRICS["auroc"](one.truth, one.probabilities, one.decision)
    told["auroc difference"] = asdict(paired_difference(*scores, "auroc", seed=1))
    return told


def tell(results: dict[str, dict[str, list]], found: dict[str, object] | None) -> None:
    for way, by_batch in results.items():
        for size, numbers in by_batch.items():
            low, middle, high = statistics.quantiles(numbers, n=4)
            print(f"{way:22} batch {size:>2}: {middle:6.2f} ms a patch ({low:.2f} to {high:.2f})")
    if found is None:
        print("random weights: what eight bits cost would mean nothing, and is not told")
        return
    print(
        f"eight bits on {found['patches']} patches held back: probabilities differ by "
        f"{found['mean']:.4f} on average, {found['largest']:.4f} at most; "
        f"{found['decisions changed']} decisions change"
    )
    if "auroc difference" in found:
        gap = found["auroc difference"]
        print(
            f"AUROC {found['auroc, single precision']:.4f}, in eight bits "
            f"{found['auroc, eight bits']:.4f}: difference {gap['value']:+.4f} "
            f"({gap['low']:+.4f} to {gap['high']:+.4f}, {gap['n']} slides)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--patches", type=Path, help="uint8 .npy, both classes among them")
    parser.add_argument("--labels", type=Path, help=".npy of 0 and 1, one for each patch")
    parser.add_argument("--drawn", type=int, default=DRAWN)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks/edge"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    members, threshold = models_of(given.run)
    asked = (
        drawn(given.folder / "patches", given.drawn)
        if given.patches is None
        else given_patches(given.patches, given.labels)
    )
    full, small = given.folder / "model.onnx", given.folder / "model.int8.onnx"
    made = export_onnx(members, full, torch.zeros((2, 3, SIDE, SIDE), dtype=torch.uint8))
    eight = quantise(full, small, asked.pixels)
    numbers = trainable(members[0].model)
    print(f"{len(members)} x {numbers:,} numbers: ONNX {made.bytes:,} bytes, int8 {eight.bytes:,}")
    ways = {
        "torch": toolkit(members),
        "onnxruntime": onnx(full),
        "onnxruntime, int8": onnx(small),
    }
    results = timed(ways, asked.pixels, given.rounds)
    known = given.run is not None
    pair = ways["onnxruntime"], ways["onnxruntime, int8"]
    found = cost(asked, *pair, threshold) if known else None
    tell(results, found)
    told = {
        "machine": platform.processor() or platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
        "weights": str(given.run) if known else "random",
        "bytes": {"onnx": made.bytes, "int8": eight.bytes},
        "ms_per_patch": results,
        "int8_cost": found,
    }
    path = given.folder / "edge.json"
    path.write_text(json.dumps(told, indent=2) + "\n")
    print(path)


if __name__ == "__main__":
    main()
