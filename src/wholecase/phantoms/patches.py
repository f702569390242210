"""Drawn patches in the published form of PatchCamelyon (Veeling 2018), truth known."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.core.files import atomic
from wholecase.core.progress import progress
from wholecase.core.seeds import generator, seed_of
from wholecase.phantoms.lesions import METASTASIS
from wholecase.phantoms.making import drawn, write_table
from wholecase.phantoms.patch_choice import CENTRE, SIDE, choose
from wholecase.phantoms.patch_plan import PatchSlide, plan_patches, sizes_of
from wholecase.phantoms.slide import draw_slide

STEM = "camelyonpatch_level_2_split_"
META = ("coord_y", "coord_x", "tumor_patch", "center_tumor_patch", "wsi")
MASKED = "test"
"""The side whose masks are written too."""
FINER = 4
"""Pixels of the finest level, in which coordinates are given, along one of a patch."""
TRIES = 8
"""Slides that are drawn anew, one after another, until one has room for its patches."""


@dataclass(frozen=True)
class Patches:
    """The patches of one slide."""

    pixels: UInt8[np.ndarray, "n 96 96 3"]
    masks: UInt8[np.ndarray, "n 96 96"]
    """1 where tumour is."""
    corners: Int64[np.ndarray, "n 2"]

    @property
    def labels(self) -> UInt8[np.ndarray, " n"]:
        """1 where a pixel of the middle shows tumour."""
        inset = (SIDE - CENTRE) // 2
        return np.asarray(self.masks[:, inset:-inset, inset:-inset].max(axis=(1, 2)))


def draw_patches(folder: Path, *, patches: int, seed: int, workers: int = 1) -> Path:
    """Draw patches of 96 x 96 px at 0.97 µm/px and return the folder.

    It then holds what PatchCamelyon publishes: `camelyonpatch_level_2_split_<side>_x.h5`, `_y.h5`
    and `_meta.csv` of train, valid and test, 8:1:1, each slide on one side; and the tumour masks of
    the test side. A patch is positive where a pixel of its middle 32 x 32 shows tumour; negatives
    show ordinary tissue, look-alikes of the tumours' mean colour, and tumour beside the middle.
    The same seed gives the same patches, whatever the number of workers.

    Raises:
        RecipeError: fewer than 40 patches.
    """
    planned = plan_patches(patches)
    with progress("draw patches", patches, "patches") as advance:
        slides_cut = drawn(partial(cut_slide, seed=seed), planned, workers)
        for side, slides in groupby(planned, key=lambda slide: slide.side):
            size = sizes_of(patches)[side]
            order = generator(seed, "patch order", side).permutation(size)
            rows: list[tuple[object, ...]] = [()] * size
            with _files(folder, side, size) as files:
                for slide in slides:
                    made = next(slides_cut)
                    places = order[slide.first : slide.first + slide.count]
                    _put(files, made, places)
                    for place, row in zip(places.tolist(), _meta(slide, made), strict=True):
                        rows[place] = row
                    advance(slide.count)
            write_table(folder / f"{STEM}{side}_meta.csv", META, rows)
    return folder


def cut_slide(slide: PatchSlide, seed: int) -> Patches:
    """Draw one slide and cut its patches, positives first."""
    for attempt in range(TRIES):
        drawn = draw_slide(slide.case, seed_of(seed, "attempt", attempt), METASTASIS)
        rng = generator(seed, slide.case.id, "patches", attempt)
        chosen = choose(rng, drawn, slide.positives, slide.negatives)
        squares = [(slice(y, y + SIDE), slice(x, x + SIDE)) for x, y in chosen.corners.tolist()]
        made = Patches(
            np.stack([drawn.pixels[square] for square in squares]),
            np.stack([chosen.tumour[square] for square in squares]),
            chosen.corners,
        )
        if (len(squares), made.labels.sum()) == (slide.count, slide.positives):
            return made
    raise RuntimeError(f"{slide.case.id}: no drawn slide has room for {slide.count} patches")


@contextlib.contextmanager
def _files(folder: Path, side: str, size: int) -> Iterator[dict[str, Any]]:
    """The data sets of one side by name; their files stand in the folder when all went well."""
    import h5py

    shapes = {"x": (size, SIDE, SIDE, 3), "y": (size, 1, 1, 1), "mask": (size, SIDE, SIDE, 1)}
    with contextlib.ExitStack() as stack:
        sets = {}
        for name, shape in shapes.items():
            if name != "mask" or side == MASKED:
                path = stack.enter_context(atomic(folder / f"{STEM}{side}_{name}.h5"))
                # without times of day, so that equal patches give equal bytes
                file = stack.enter_context(h5py.File(path, "w"))
                sets[name] = file.create_dataset(name, shape, np.uint8, track_times=False)
        yield sets


def _put(files: dict[str, Any], made: Patches, places: Int64[np.ndarray, " n"]) -> None:
    order = np.argsort(places)
    where = places[order]
    files["x"][where] = made.pixels[order]
    files["y"][where] = made.labels[order][:, None, None, None]
    if "mask" in files:
        files["mask"][where] = made.masks[order][..., None]


def _meta(slide: PatchSlide, made: Patches) -> Iterator[tuple[object, ...]]:
    for (x, y), mask, label in zip(made.corners.tolist(), made.masks, made.labels, strict=True):
        yield y * FINER, x * FINER, bool(mask.any()), bool(label), slide.case.id
