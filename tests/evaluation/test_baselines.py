import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholecase.core.errors import RecipeError
from wholecase.evaluation import BASELINES, Sides, Vectors, auroc, baseline, mean_features
from wholecase.evaluation.baselines import STRENGTHS


def drawn(classes=2, cases=120, width=12, apart=1.0):
    rng = np.random.default_rng(classes)
    truth = np.arange(cases) % classes
    centres = apart * rng.normal(size=(classes, width))
    return (centres[truth] + 2 * rng.normal(size=(cases, width))).astype(np.float32), truth


def folds(features, truth):
    """Teaching, inner and judged cases; three cases a patient."""
    patients = np.arange(len(truth)) // 3
    for learnt, judged in GroupKFold(4).split(features, truth, patients):
        inner, train = learnt[patients[learnt] % 5 == 0], learnt[patients[learnt] % 5 != 0]
        yield train, inner, judged


def sides_of(features, truth, train, inner, **more):
    at = [Vectors(features[own], truth[own]) for own in (train, inner)]
    return Sides(*at, classes=int(truth.max()) + 1, **more)


def by_hand(features, truth, train, inner, taught):
    """Scikit-learn's own, with nothing of ours."""

    def fitted(strength, rows):
        model = LogisticRegression(C=strength, max_iter=5000)
        return make_pipeline(StandardScaler(), model).fit(features[rows], truth[rows])

    losses = [
        log_loss(truth[inner], fitted(c, train).predict_proba(features[inner])) for c in STRENGTHS
    ]
    return fitted(STRENGTHS[int(np.argmin(losses))], taught)


@pytest.mark.parametrize("learns_inner", [False, True])
def test_logistic_regression_is_that_of_scikit_learn_on_the_same_folds(learns_inner):
    features, truth = drawn()
    ours, theirs = np.zeros(len(truth)), np.zeros(len(truth))
    for train, inner, judged in folds(features, truth):
        sides = sides_of(features, truth, train, inner, learns_inner=learns_inner)
        ours[judged] = baseline("logistic", sides, features[judged])[:, 1]
        taught = np.concatenate((train, inner)) if learns_inner else train
        model = by_hand(features, truth, train, inner, taught)
        theirs[judged] = model.predict_proba(features[judged])[:, 1]
    assert auroc(truth == 1, ours) == pytest.approx(auroc(truth == 1, theirs), abs=1e-3)
    assert 0.7 < auroc(truth == 1, ours) < 1


def test_neighbours_are_those_of_scikit_learn():
    features, truth = drawn(classes=3)
    train, inner, judged = next(folds(features, truth))
    told = baseline("neighbours", sides_of(features, truth, train, inner), features[judged])
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(7, weights="distance"))
    oracle = model.fit(features[train], truth[train]).predict_proba(features[judged])
    assert told == pytest.approx(oracle)


def test_the_nearest_mean_decides():
    features, truth = drawn(classes=3)
    train, inner, judged = next(folds(features, truth))
    told = baseline("centroid", sides_of(features, truth, train, inner), features[judged])
    scale = features[train].std(axis=0)
    means = np.stack([features[train][truth[train] == c].mean(axis=0) for c in range(3)])
    gaps = [[(((row - mean) / scale) ** 2).sum() for mean in means] for row in features[judged]]
    assert (told.argmax(axis=1) == np.argmin(gaps, axis=1)).all()


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("classes", [2, 3])
def test_rows_are_probabilities_better_than_chance(name, classes):
    features, truth = drawn(classes, apart=2.0)
    train, inner, judged = next(folds(features, truth))
    told = baseline(name, sides_of(features, truth, train, inner), features[judged])
    assert told.shape == (len(judged), classes)
    assert told.sum(axis=1) == pytest.approx(np.ones(len(judged)))
    assert (told >= 0).all()
    assert (told.argmax(axis=1) == truth[judged]).mean() > 0.8


@pytest.mark.parametrize("name", BASELINES)
def test_few_and_one_sided_teaching_cases(name):
    features, truth = drawn(classes=3)
    first = np.flatnonzero(truth != 1)[:4]
    told = baseline(name, sides_of(features, truth, first, first[:0]), features)
    assert told[:, 1] == pytest.approx(np.zeros(len(truth)))
    alone = np.flatnonzero(truth == 2)[:3]
    told = baseline(name, sides_of(features, truth, alone, alone[:0]), features)
    assert (told == np.eye(3)[2]).all()


def test_an_unknown_baseline_is_refused():
    features, truth = drawn()
    with pytest.raises(RecipeError, match="did you mean 'logistic'"):
        baseline("logistics", sides_of(features, truth, truth[:9], truth[:0]), features)


def test_means_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    features, starts = rng.normal(size=(9, 4)).astype(np.float32), np.array([0, 1, 5, 9])
    means = mean_features(features, starts)
    for b in range(3):
        assert means[b] == pytest.approx(features[starts[b] : starts[b + 1]].mean(axis=0))
