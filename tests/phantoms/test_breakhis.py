"""The published tree, the same tissue through four objectives, and a signal that none has alone."""

from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pytest

from wholecase.cohort.importers import breakhis
from wholecase.core.errors import RecipeError
from wholecase.phantoms import draw_breakhis
from wholecase.phantoms.breakhis import draw_patient
from wholecase.phantoms.breakhis_plan import POWERS, plan_patients


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("breakhis")
    return draw_breakhis(folder, patients=8, images=1, seed=3)


def test_the_importer_reads_what_is_drawn(tree: Path) -> None:
    rows = breakhis(tree).rows
    planned = {patient.slide: patient for patient in plan_patients(8, 3)}
    assert {row.patient_id for row in rows} == set(planned)
    for row in rows:
        patient = planned[row.patient_id]
        assert row.label == ("malignant" if patient.is_malignant else "benign")
        assert row.tumor_type == patient.type[1]
    seen = {
        patient: tuple(sorted(int(row.magnification or 0) for row in own))
        for patient, own in groupby(rows, lambda row: row.patient_id)
    }
    assert seen == {slide: patient.powers for slide, patient in planned.items()}
    assert sorted(map(len, seen.values())) == [3, 4, 4, 4, 4, 4, 4, 4]


def test_no_magnification_alone_tells_the_classes_apart() -> None:
    planned = plan_patients(48, 1)
    for flag in ("solid", "nucleoli"):
        benign = [getattr(p, flag) for p in planned if not p.is_malignant]
        assert sum(benign) == len(benign) / 2
        assert all(getattr(p, flag) for p in planned if p.is_malignant)
    assert len({p.type for p in planned}) == 8
    lacking = [set(POWERS) - set(p.powers) for p in planned]
    assert sum(map(len, lacking)) == 9
    assert set().union(*lacking) == set(POWERS)


def test_lumina_are_seen_at_low_and_nucleoli_at_high_magnification(tree: Path) -> None:
    """White share at 40X and 100X, and the darkest of nuclei at 200X and 400X; not crosswise."""
    planned = {patient.slide: patient for patient in plan_patients(8, 3)}
    white: dict[tuple[bool, int], list[float]] = {}
    dark: dict[tuple[bool, int], list[float]] = {}
    for row in breakhis(tree).rows:
        grey = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)
        patient, power = planned[row.patient_id], int(row.magnification or 0)
        white.setdefault((patient.solid, power), []).append(float((grey > 238).mean()))
        least, dim, middle = np.percentile(grey[75:-75, 125:-125], (0.5, 12, 50))
        spots = (dim - least) / (middle - least)  # how far the darkest lie below nuclei
        dark.setdefault((patient.nucleoli, power), []).append(float(spots))
    for power in (40, 100):
        assert min(white[False, power]) > max(white[True, power]) + 0.01
    for power in (200, 400):
        assert max(white[False, power] + white[True, power]) < 0.01
        assert np.mean(dark[True, power]) > np.mean(dark[False, power]) + 0.1
    assert abs(np.mean(dark[True, 40]) - np.mean(dark[False, 40])) < 0.05


def test_the_seed_alone_fixes_the_pictures(tree: Path, tmp_path: Path) -> None:
    patient = plan_patients(8, 3)[-1]
    draw_patient(tmp_path, 1, 3, patient)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.png"))
    assert len(files) == len(patient.powers)
    assert all((tree / f).read_bytes() == (tmp_path / f).read_bytes() for f in files)
    first = cv2.imread(str(tree / files[0]))
    assert first.shape == (230, 350, 3)
    assert np.ptp(first) > 100


def test_too_few_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="7 drawn patients are too few"):
        draw_breakhis(tmp_path, patients=7, images=1, seed=1)
    with pytest.raises(RecipeError, match="0 images of a patient"):
        draw_breakhis(tmp_path, patients=8, images=0, seed=1)
