"""What tells drawn heads apart: a ring within oedema, and nothing cheaper."""

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wholecase.phantoms.ct.plan import POSITIVE, plan_patients
from wholecase.phantoms.ct.scan import REACH_MM, scan

PATIENTS, SEED, SIDE_PX = 40, 3, 64
CHANCE = 0.5 + 2.8 * np.sqrt((PATIENTS + 1) / (12 * (PATIENTS / 2) ** 2))
"""What an AUROC of nothing stays below (Mann-Whitney), but for one time in two hundred."""


def brain_of(study):
    """Within the skull, by the window of the brain."""
    return np.clip(study.soft, 0, 80).astype(np.float32)


def detail_of(study, pixel_mm):
    """The brightest small thing, away from the skull."""
    brain = brain_of(study)
    near = np.stack([cv2.dilate(plane, np.ones((7, 7))) for plane in brain]) >= 80
    fine = np.stack([plane - cv2.GaussianBlur(plane, (0, 0), 6 / pixel_mm) for plane in brain])
    return float(np.where(near, 0, fine).max())


@pytest.fixture(scope="module")
def cohort():
    planned = plan_patients(PATIENTS, SEED, SIDE_PX, REACH_MM)
    return [(patient, scan(patient, SEED)) for patient in planned]


@pytest.mark.slow
@pytest.mark.parametrize(
    "statistic",
    [
        lambda _, study: study.soft.mean(),
        lambda _, study: study.soft.max(),
        lambda _, study: brain_of(study).mean(),
        lambda _, study: brain_of(study).std(),
        lambda _, study: ((study.soft > 50) & (study.soft < 90)).mean(),
        lambda _, study: ((study.soft > 10) & (study.soft < 24)).mean(),
        lambda _, study: max(plane.mean() for plane in brain_of(study)),
        lambda _, study: len(study.soft),
        lambda patient, study: detail_of(study, patient.pixel_mm),
    ],
    ids=["mean", "brightest", "brain", "spread", "bright", "dark", "slice", "slices", "spot"],
)
def test_no_plain_statistic_tells(cohort, statistic):
    truth = [patient.label == POSITIVE for patient, _ in cohort]
    area = roc_auc_score(truth, [statistic(*pair) for pair in cohort])
    assert 1 - CHANCE < area < CHANCE


def test_rings_are_bright_around_a_dark_middle_and_lie_in_oedema():
    planned = plan_patients(4, SEED, 160, 90.0)
    patient = max((p for p in planned if p.label == POSITIVE), key=lambda p: p.lesions)
    study = scan(patient, SEED)
    inside = study.mask.astype(np.uint8)
    plane = int(inside.sum((1, 2)).argmax())
    units = study.soft[plane].astype(float)
    near = cv2.dilate(inside[plane], np.ones((3, 3)))
    around = cv2.dilate(inside[plane], np.ones((7, 7)))
    oedema = np.median(units[(around > 0) & (near == 0)])
    assert 12 < oedema < 25
    assert 45 < np.percentile(units[inside[plane] > 0], 90) < 95
    assert np.median(units[(units > 0) & (units < 60)]) > oedema + 6


def test_negatives_have_no_mask():
    patient = next(p for p in plan_patients(4, SEED, 48, 60.0) if p.label != POSITIVE)
    assert not scan(patient, SEED).mask.any()
