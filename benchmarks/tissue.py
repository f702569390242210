"""Claim: the classical tissue mask costs less than 0.15 CPU s per slide.

Draws the thumbnail of a slide of 100,000 x 80,000 px at 0.25 µm/px (25 x 20 mm, 3125 x 2500 px at
8 µm/px) in several stains, with ink and a black border, and times every mask of `TISSUES` on it, in
turn, so that all meet the same load of the machine. Prints CPU seconds of one thread (median,
quartiles) and the agreement with what was drawn (Dice), and writes JSON. Reading the thumbnail from
the file is not in it; `--slide` times a real one.

    python benchmarks/tissue.py
    python benchmarks/tissue.py --slide CMU-1.svs --rounds 30
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from wholecase.instances import TISSUES, Classical, Segmenter
from wholecase.phantoms.spoilt import spoil
from wholecase.phantoms.stained import draw_stained
from wholecase.sources import open_source, thumbnail

SIZE_UM = (25_000.0, 20_000.0)
SPACING_UM = 8.0
STAINS = ("h&e", "pale h&e", "dab", "haematoxylin")
MASKS: dict[str, Segmenter] = {
    **{name: kind() for name, kind in TISSUES.items()},
    "classical, focus": Classical(focus=True),
}


def drawn() -> dict[str, tuple[np.ndarray, np.ndarray | None, float]]:
    """Pixels, truth and spacing of every stain, spoilt by ink and a black border."""
    slides = {}
    for stain in STAINS:
        slide = draw_stained(stain, 1, size_um=SIZE_UM, spacing_um=SPACING_UM)
        slide = spoil(spoil(slide, "green pen", 1), "black border", 1)
        slides[stain] = slide.pixels, slide.tissue & ~slide.spoiled, SPACING_UM
    return slides


def real(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray | None, float]]:
    with open_source(path, "slide") as source:
        assert source.spacing is not None, f"{path} has no spacing"
        level = source.levels[0]
        longest = max(level.width_px, level.height_px) * source.spacing.um / SPACING_UM
        small = thumbnail(source, min(4096, round(longest)))
        return {path.name: (small.pixels, None, source.spacing.um * small.downsample)}


def cpu_seconds(function: Callable[[], np.ndarray]) -> float:
    started = time.process_time()
    function()
    return time.process_time() - started


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))


def measured(
    pixels: np.ndarray, truth: np.ndarray | None, spacing_um: float, rounds: int
) -> dict[str, dict[str, float | None]]:
    seconds: dict[str, list[float]] = {name: [] for name in MASKS}
    for _ in range(rounds):
        for name, mask in MASKS.items():
            seconds[name].append(cpu_seconds(lambda mask=mask: mask(pixels, spacing_um)))
    told: dict[str, dict[str, float | None]] = {}
    for name, mask in MASKS.items():
        low, median, high = np.quantile(seconds[name], (0.25, 0.5, 0.75)).tolist()
        agreement = None if truth is None else dice(mask(pixels, spacing_um), truth)
        told[name] = {"low": low, "median": median, "high": high, "dice": agreement}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/tissue.json"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    results = {}
    for label, slide in (real(given.slide) if given.slide else drawn()).items():
        results[label] = measured(*slide, given.rounds)
        height, width = slide[0].shape[:2]
        print(f"{label}, {width} x {height} px")
        for name, row in results[label].items():
            spread = f"{row['median']:.3f} s ({row['low']:.3f} to {row['high']:.3f})"
            agreement = "" if row["dice"] is None else f", Dice {row['dice']:.3f}"
            print(f"  {name:18} {spread}{agreement}")
    facts = {"machine": platform.processor() or platform.machine(), "opencv": cv2.__version__}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({**facts, "rounds": given.rounds, "slides": results}, indent=2))
    print(given.out)


if __name__ == "__main__":
    main()
