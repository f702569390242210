"""What tells drawn heads apart: a ring within oedema, and nothing cheaper."""

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wholecase.phantoms.ct.scan import REACH_MM, scan
from wholecase.phantoms.ct.study_plan import POSITIVE, plan_patients

PATIENTS, SEED, SIDE_PX = 40, 2, 96
CHANCE = 0.5 + 2.8 * np.sqrt((PATIENTS + 1) / (12 * (PATIENTS / 2) ** 2))
"""What an AUROC of nothing stays below (Mann-Whitney), but for one time in two hundred."""


def brain_of(study):
    """Within the skull, by the window of the brain."""
    return np.clip(study.soft, 0, 80).astype(np.float32)


def disc(low_mm, high_mm, pixel_mm):
    """A filter that averages what lies between two radii."""
    half = int(np.ceil(high_mm / pixel_mm))
    away = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) * pixel_mm
    inside = ((away >= low_mm) & (away <= high_mm)).astype(np.float32)
    return inside / inside.sum()


def contrast_of(patient, study):
    """Of a disc of the rings' size to what surrounds it: [slices, rows, columns], HU.

    Nothing is told near bone, and of the slices by the floor of the skull.
    """
    sizes = disc(0, 4.5, patient.pixel_mm), disc(8.5, 12.5, patient.pixel_mm)
    side = max(3, 2 * int(6 / patient.pixel_mm) + 1)
    found = []
    for plane in brain_of(study):
        inner, outer = (cv2.filter2D(plane, -1, size) for size in sizes)
        bone = cv2.dilate(cv2.medianBlur(plane, 5), np.ones((side, side))) >= 80
        head = cv2.erode(plane, np.ones((side, side))) > 0
        found.append(np.where(bone | ~head, -80, inner - outer))
    heights = study.grid.points(study.grid.whole)[..., 2]
    return np.where(heights > -22, np.stack(found), -80)


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


@pytest.mark.slow
def test_a_filter_of_the_rings_size_tells_and_finds_their_slices(cohort):
    truth = [patient.label == POSITIVE for patient, _ in cohort]
    contrasts = [contrast_of(*pair).max((1, 2)) for pair in cohort]
    assert roc_auc_score(truth, [contrast.max() for contrast in contrasts]) > CHANCE
    first = [
        study.mask.any((1, 2))[np.argsort(-contrast)[:2]].any()
        for (_, study), contrast in zip(cohort, contrasts, strict=True)
        if study.mask.any()
    ]
    assert np.mean(first) > 0.7


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
