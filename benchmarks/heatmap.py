"""Claim: a heatmap of 5,230 tiles costs less than 0.25 CPU s at 1/16 and 3.5 CPU s at 1/4.

Draws attention over a slide of 46,000 x 32,914 px, grey all over, so that the drawing is timed and
not the reading: 5,230 tiles of 256 px in an ellipse, with legend and ruler. Beside it, in turn, so
that both meet the same load of the machine, the plain way to do the same: sum the tiles on a canvas
of floats, divide by how often each pixel was covered, colour the whole canvas, and blend it where
there is a tile. The third way is ours with tiles off any grid, which take another path. Prints CPU
seconds of one thread (median, quartiles) and the peak of memory beside the picture that is drawn
on, measured once in a process of its own; writes JSON.

    python benchmarks/heatmap.py
    python benchmarks/heatmap.py --rounds 15
"""

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from wholecase.explain import paint
from wholecase.explain.colours import colours

SLIDE_PX = (46_000, 32_914)
SPACING_UM = 0.5
TILES, SIDE = 5_230, 256
SHARES = (16, 4)
Drawn = Callable[[np.ndarray, float, np.ndarray, np.ndarray], np.ndarray]


def grid() -> np.ndarray:
    """Boxes of the tiles nearest to the middle."""
    columns, rows = (side // SIDE for side in SLIDE_PX)
    y, x = (axis.ravel() for axis in np.mgrid[:rows, :columns])
    apart = (x / columns - 0.5) ** 2 + (y / rows - 0.5) ** 2
    kept = np.argsort(apart, kind="stable")[:TILES]
    sides = np.full(TILES, SIDE)
    return np.stack([x[kept] * SIDE, y[kept] * SIDE, sides, sides], axis=1)


def ours(
    picture: np.ndarray, downsample: float, box_px: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    return paint(picture, downsample, box_px, weights, spacing_um=SPACING_UM)


def free(
    picture: np.ndarray, downsample: float, box_px: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    shifted = box_px.copy()
    shifted[:, :2] += np.random.default_rng(1).integers(-40, 40, size=(len(box_px), 2))
    return paint(picture, downsample, shifted, weights, spacing_um=SPACING_UM)


def plain(
    picture: np.ndarray, downsample: float, box_px: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    heat = np.argsort(np.argsort(weights)) / (len(weights) - 1)
    total = np.zeros(picture.shape[:2], np.float32)
    times = np.zeros(picture.shape[:2], np.uint16)
    ends = np.ceil(np.hstack([box_px[:, :2], box_px[:, :2] + box_px[:, 2:]]) / downsample - 0.5)
    for (x0, y0, x1, y1), value in zip(ends.astype(int), heat, strict=True):
        total[y0:y1, x0:x1] += value
        times[y0:y1, x0:x1] += 1
    total[times > 0] /= times[times > 0]
    painted = _coloured(total)
    grey = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    blended = cv2.addWeighted(grey, 0.5, painted, 0.5, 0)
    return np.where((times > 0)[..., None], blended, grey)


def _coloured(heat: np.ndarray) -> np.ndarray:
    table = colours(np.linspace(0, 1, 256))
    return table[(heat * 255).astype(np.uint8)]


WAYS: dict[str, Drawn] = {"wholecase": ours, "off the grid": free, "plain": plain}


def scene(share: int) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    width, height = (side // share for side in SLIDE_PX)
    weights = np.random.default_rng(0).dirichlet(np.ones(TILES))
    return np.full((height, width, 3), 210, np.uint8), float(share), grid(), weights


def seconds(share: int, rounds: int) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {name: [] for name in WAYS}
    picture = scene(share)
    for _ in range(rounds):
        for name, way in WAYS.items():
            started = time.process_time()
            way(*picture)
            told[name].append(time.process_time() - started)
    return told


def peak_mb(name: str, share: int) -> float:
    """How much more than with the picture alone, in a process of its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_mb, (name, share))


def _peak_mb(name: str, share: int) -> float:
    cv2.setNumThreads(1)
    WAYS[name](*scene(64))  # what is loaded at the first call
    picture = scene(share)
    before = _resident_mb()
    WAYS[name](*picture)
    return _resident_mb() - before


def _resident_mb() -> float:
    """The most that this process ever held."""
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage tells there includes the parent's, from before the start
        line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


def agreement(share: int) -> float:
    """Greatest difference between both ways over the picture, of 255."""
    picture = scene(share)
    height, width = picture[0].shape[:2]
    both = [WAYS[name](*picture)[:height, :width].astype(int) for name in ("wholecase", "plain")]
    return float(np.abs(both[0] - both[1]).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/heatmap.json"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    results = {}
    for share in SHARES:
        results[f"1/{share}"] = measured(share, given.rounds)
    apart = agreement(SHARES[0])
    print(f"greatest difference between wholecase and plain at 1/{SHARES[0]}: {apart:g} of 255")
    facts = {"machine": platform.processor() or platform.machine(), "opencv": cv2.__version__}
    told = {**facts, "rounds": given.rounds, "difference": apart, "shares": results}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=2))
    print(given.out)


def measured(share: int, rounds: int) -> dict[str, dict[str, float]]:
    width, height = (side // share for side in SLIDE_PX)
    print(f"1/{share}: {width} x {height} px, {width * height * 3 / 2**20:.0f} MB, {TILES} tiles")
    told = {}
    for name, times in seconds(share, rounds).items():
        low, median, high = np.quantile(times, (0.25, 0.5, 0.75)).tolist()
        peak = peak_mb(name, share)
        told[name] = {"low": low, "median": median, "high": high, "peak_mb": peak}
        print(f"  {name:13} {median:.3f} s ({low:.3f} to {high:.3f}), {peak:.0f} MB beside it")
    return told


if __name__ == "__main__":
    main()
