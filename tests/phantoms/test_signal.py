"""What tells the classes apart: the pattern of the nests, and nothing cheaper."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholecase.encoders.colour import encode_colour
from wholecase.phantoms.lesions import LOOKALIKE, MASK_STEP, NEST
from wholecase.phantoms.plan import plan_cohort
from wholecase.phantoms.slide import draw_slide

pytestmark = pytest.mark.slow  # a cohort is drawn and looked at in full

CASES, SEED, SIZE = 24, 3, (1150.0, 900.0)
SIDE_UM = 112.0


@dataclass(frozen=True)
class Tiles:
    pixels: np.ndarray
    nest: np.ndarray
    positive: bool
    lesions: int


def tiles_of(case):
    slide = draw_slide(case, SEED)
    side = round(SIDE_UM / case.spacing_um)
    found, shares = [], []
    for y in range(0, slide.pixels.shape[0] - side, side):
        for x in range(0, slide.pixels.shape[1] - side, side):
            tile = slide.pixels[y : y + side, x : x + side]
            if (np.ptp(tile[::8, ::8].astype(int), axis=2) > 18).mean() < 0.5:
                continue
            found.append(cv2.resize(tile, (224, 224), interpolation=cv2.INTER_AREA))
            rows = slice(y // MASK_STEP, (y + side) // MASK_STEP)
            columns = slice(x // MASK_STEP, (x + side) // MASK_STEP)
            shares.append((slide.mask[rows, columns] > 0).mean())
    return Tiles(np.stack(found), np.array(shares), case.nests > 0, len(slide.lesions))


@pytest.fixture(scope="module")
def cohort():
    return [tiles_of(case) for case in plan_cohort(CASES, SEED, SIZE)]


def cross_validated(features, truth):
    """Mean AUROC over three shuffles of four folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = []
    for shuffle in range(3):
        folds = StratifiedKFold(4, shuffle=True, random_state=shuffle)
        guess = cross_val_predict(model, features, truth, cv=folds, method="predict_proba")
        scores.append(roc_auc_score(truth, guess[:, 1]))
    return np.mean(scores)


def colours_of(tiles):
    return tiles.pixels.reshape(len(tiles.pixels), -1, 3).astype(np.float32).mean(1)


@pytest.mark.parametrize(
    "summary",
    [
        lambda colours: colours.mean(0),
        lambda colours: colours.max(0),
        lambda colours: colours.min(0),
        lambda colours: np.concatenate([colours.min(0), colours.max(0)]),
        lambda colours: np.array([len(colours)]),
    ],
    ids=["mean", "brightest", "darkest", "extremes", "amount of tissue"],
)
def test_colour_does_not_tell(cohort, summary):
    features = np.stack([summary(colours_of(tiles)) for tiles in cohort])
    truth = np.array([tiles.positive for tiles in cohort])
    assert cross_validated(features, truth) < 0.75


def test_the_mask_tells(cohort):
    truth = [tiles.positive for tiles in cohort]
    assert roc_auc_score(truth, [tiles.nest.max() for tiles in cohort]) == 1.0


def test_the_number_of_lesions_does_not_tell(cohort):
    counts = {p: np.mean([t.lesions for t in cohort if t.positive is p]) for p in (True, False)}
    assert abs(counts[True] - counts[False]) < 1.0


def test_texture_tells_nest_tiles_of_slides_not_seen(cohort):
    parts = []
    for some in (cohort[: CASES // 2], cohort[CASES // 2 :]):
        share = np.concatenate([tiles.nest for tiles in some])
        clear = (share > 0.5) | (share < 0.02)
        pixels = np.concatenate([tiles.pixels for tiles in some])[clear]
        parts.append((encode_colour(pixels), share[clear] > 0.5))
    (seen, truth), (unseen, answer) = parts
    model = LogisticRegression(C=0.1, max_iter=2000).fit(seen, truth)
    assert roc_auc_score(answer, model.decision_function(unseen)) > 0.97


def test_nests_and_lookalikes_have_one_colour():
    case = next(c for c in plan_cohort(CASES, SEED, (2250.0, 1600.0)) if 3 <= c.nests <= 5)
    slide = draw_slide(case, SEED)
    means = {NEST.nucleus: [], LOOKALIKE.nucleus: []}
    for lesion in slide.lesions:
        inside = np.zeros(slide.pixels.shape[:2], np.uint8)
        middle = lesion.line.mean(0)
        inner = np.rint(middle + 0.8 * (lesion.line - middle)).astype(np.int32)
        cv2.fillPoly(inside, [inner], 255)
        means[lesion.pattern.nucleus].append(cv2.mean(slide.pixels, mask=inside)[:3])
    nests, lookalikes = (np.mean(values, axis=0) for values in means.values())
    assert np.abs(nests - lookalikes).max() < 10
