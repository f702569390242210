"""A small cohort of drawn tiles, and a recipe that learns it in a hurry."""

from pathlib import Path

import numpy as np
from PIL import Image

from wholecase.recipes import Recipe, read_recipe

QUICK = ("encoder=colour", "protocol.folds=3", "train.epochs=6", "train.optimizer.rate=1e-3")

PICTURES = (
    "cohort={positive: [b], negative: [a]}",
    "cut=whole",
    "cut.side_px=32",
    "encoder=colour",
    "model.aggregator={name: mean}",
    "model.head={name: binary, hidden: []}",
    "batches={name: shuffled, cases: 4}",
    "train={epochs: 1}",
)
"""Of `metric-ensemble`: whole pictures of the classes a and b, learnt from at once."""


def tile(rng: np.random.Generator, coarse: bool) -> np.ndarray:
    """Pink noise-like tissue: classes differ by the grain of the stain, not by its amount."""
    step = 12 if coarse else 3
    grain = rng.random((96 // step, 96 // step)) > 0.6
    dark = np.kron(grain, np.ones((step, step)))[..., None] * np.array([90.0, 110.0, 60.0])
    pixels = np.array([235.0, 190.0, 220.0]) - dark + rng.normal(0, 6, (96, 96, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def write_cohort(folder: Path, patients: int = 24) -> Path:
    """Tiles of patients, one case each but for the first, who has one of each class."""
    rng = np.random.default_rng(5)
    rows = ["case_id,patient_id,path,label,kind"]
    for number in range(patients):
        patient = f"p{max(number, 1):02}"
        label = ("wild-type", "mutated")[number % 2]
        for shot in range(2 + number % 3):
            name = f"{number:02}-{shot}.png"
            Image.fromarray(tile(rng, number % 2 == 1)).save(folder / name)
            rows.append(f"c{number:02},{patient},{name},{label},tile")
    path = folder / "cohort.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def quick(*overrides: str) -> Recipe:
    """egfr-clam in a hurry."""
    return read_recipe("egfr-clam", [*QUICK, *overrides])
