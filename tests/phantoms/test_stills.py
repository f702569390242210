"""Few pictures in class folders: patients of one ground, lesions, and look-alikes in all."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from wholecase.cohort import read_cohort
from wholecase.cohort.importers import class_folders
from wholecase.core.errors import RecipeError
from wholecase.phantoms import draw_stills
from wholecase.phantoms.stills import draw_still, plan_stills
from wholecase.runs import read_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_stills(tmp_path_factory.mktemp("stills"), patients=12, seed=3)


def test_the_folders_and_the_manifest_say_the_same(folder: Path) -> None:
    rows = class_folders(folder / "TrainSet", patient_from=r"(p\d+)-", case="image").rows
    planned = {patient.id: patient for patient in plan_stills(12, 3)}
    taught = [p for p in planned.values() if not p.is_held_out]
    assert Counter(row.patient_id for row in rows) == {p.id: p.images for p in taught}
    for row in rows:
        assert row.label == ("disease" if planned[row.patient_id].is_ill else "normal")
    cohort = read_cohort(folder / "cohort.csv", None)
    assert {c.id: (c.patient, c.label) for c in cohort.cases} == {
        row.case_id: (row.patient_id, row.label) for row in rows
    }


def test_the_test_set_has_no_labels_and_its_truth_stands_apart(folder: Path) -> None:
    truth = read_rows(folder / "truth.csv")
    assert {row["case_id"] for row in truth} == {p.stem for p in (folder / "TestSet").iterdir()}
    planned = plan_stills(12, 3)
    assert {row["patient_id"] for row in truth} == {p.id for p in planned if p.is_held_out}
    assert {row["label"] for row in truth} == {"normal", "disease"}
    assert sum(p.is_ill for p in planned) == 4


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = draw_stills(tmp_path, patients=12, seed=3)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes()
    other = draw_stills(tmp_path / "other", patients=12, seed=4)
    assert (other / "cohort.csv").read_bytes() != (folder / "cohort.csv").read_bytes()


def test_lesions_are_as_dark_and_bright_as_look_alikes_but_in_one_place() -> None:
    """On a plain ground: equal amounts, and only the ill have dark enclosed by bright."""
    ground = np.full((272, 272), 120.0)
    amounts: dict[bool, list[float]] = {True: [], False: []}
    enclosed: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(12):
        for is_ill in (True, False):
            picture = draw_still(np.random.default_rng(seed), ground, is_ill=is_ill)
            smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2)
            dark, bright = smooth < 100, (smooth > 135).astype(np.uint8)
            amounts[is_ill].append(float(dark.mean()))
            rims, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[-2:]
            filled = cv2.drawContours(np.zeros_like(bright), rims, -1, 1, cv2.FILLED)
            enclosed[is_ill].append(bool((filled.astype(bool) & dark).sum() > 60))
    assert all(enclosed[True])
    assert not any(enclosed[False])
    assert np.mean(amounts[True]) == pytest.approx(np.mean(amounts[False]), rel=0.2)


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(RecipeError, match="at least 12"):
        plan_stills(11, 1)
