"""Cut the images of a cohort into small crops: one HDF5 file, and a manifest that names its rows.

    python examples/crops_to_hdf5.py cohort.csv crops/ --side 96 --images 1

Every crop is a case with the label of its image; its patient is that of the image, so that crops of
one patient never stand on two sides of a split. Crops lie in the corners, without overlap.
"""

import argparse
import csv
from pathlib import Path

import h5py
import numpy as np

from wholecase.cohort import Case, read_cohort
from wholecase.sources import open_source


def crops(case: Case, side: int, images: int) -> list[np.ndarray]:
    """The crops of the first images of a case, each [side, side, 3]."""
    found = []
    for image in case.images[:images]:
        with open_source(image.path, image.kind, image.mpp) as source:
            level = source.levels[0]
            for y in corners(level.height_px, side):
                found += [source.read(x, y, side, side) for x in corners(level.width_px, side)]
    return found


def corners(length: int, side: int) -> list[int]:
    """Where crops begin along an edge: spread over it, the first and the last flush with it.

    >>> corners(224, 96), corners(96, 96)
    ([0, 128], [0])
    """
    count = length // side
    return [round(i * (length - side) / max(count - 1, 1)) for i in range(count)]


def main() -> None:
    """Read the command line, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, default=96, help="pixels")
    parser.add_argument("--images", type=int, default=1, help="of each case, the first so many")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    pixels: list[np.ndarray] = []
    rows = []
    for case in read_cohort(asked.cohort, None).cases:
        for number, crop in enumerate(crops(case, asked.side, asked.images)):
            cells = f"{case.id}-{number}", case.patient, f"x.h5#{len(pixels)}", case.label, "tile"
            rows.append(cells)
            pixels.append(crop)
    with h5py.File(asked.out / "x.h5", "w") as file:
        file["x"] = np.stack(pixels)
    with (asked.out / "cohort.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case_id", "patient_id", "path", "label", "kind"))
        writer.writerows(rows)
    print(f"{len(rows)} crops: {asked.out / 'cohort.csv'}")


if __name__ == "__main__":
    main()
