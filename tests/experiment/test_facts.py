"""A store is shared; what a run says of itself is of its own cohort."""

from pathlib import Path

import h5py
import numpy as np

from wholecase.cohort import Case, Cohort, Image
from wholecase.execution import Place
from wholecase.experiment.facts import instance_of
from wholecase.extract import decode
from wholecase.instances import Whole
from wholecase.recipes import read_recipe


def test_the_spacing_is_that_of_the_cohorts_own_instances(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        pixels = np.random.default_rng(0).integers(0, 256, (9, 96, 96, 3))
        file["x"] = pixels.astype(np.uint8)
    told = {}
    for name, mpp, rows in (
        ("many", 0.5, range(6)),
        ("few", 2.0, range(6, 8)),
        ("none", None, [8]),
    ):
        cases = tuple(
            Case(f"{n}", f"{n}", (Image(tmp_path / f"x.h5#{n}", "tile", n, mpp=mpp),)) for n in rows
        )
        cohort = Cohort(tmp_path / "cohort.csv", cases, ())
        done = decode(cohort, Whole(96), tmp_path / "store", Place(workers=0))
        told[name] = instance_of(read_recipe("pcam-attention"), done)
    assert told == {
        "many": {"side_px": 96, "spacing_um": 0.5},
        "few": {"side_px": 96, "spacing_um": 2.0},
        "none": {"side_px": 96, "spacing_um": None},
    }
