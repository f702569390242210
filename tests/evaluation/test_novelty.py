import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from wholecase.core.errors import RunError
from wholecase.evaluation import Familiar, learn_familiar


def cases(rng, count, width, apart=0.0):
    """Correlated features of unequal spread."""
    mixing = np.random.default_rng(width).normal(size=(width, width)) / np.sqrt(width)
    return (rng.normal(size=(count, width)) * np.linspace(0.2, 3, width)) @ mixing + apart


@pytest.mark.parametrize("width", [3, 20])
def test_it_is_the_distance_of_mahalanobis(width):
    rng = np.random.default_rng(0)
    train, asked = cases(rng, 60, width), cases(rng, 10, width)
    oracle = np.sqrt(LedoitWolf().fit(train).mahalanobis(asked) / width)
    assert learn_familiar(train, asked).distances(asked) == pytest.approx(oracle)


@pytest.mark.parametrize(("width", "inner"), [(8, 10), (8, 200), (300, 20), (300, 200)])
def test_cases_of_the_same_kind_are_marked_as_seldom_as_stated(width, inner):
    rng = np.random.default_rng(1)
    marked = []
    for _ in range(12):
        told = learn_familiar(cases(rng, 40, width), cases(rng, inner, width), rate=0.05)
        marked.append(told.are_unlike(told.distances(cases(rng, 100, width))).mean())
    assert np.mean(marked) < 0.09


@pytest.mark.parametrize("width", [8, 300])
def test_few_inner_cases_are_helped_by_the_training_cases_of_other_patients(width):
    """Two cases a patient, nearly alike: each is looked at from those of the others."""
    rng = np.random.default_rng(8)
    marked, near, far = [], [], []
    for _ in range(20):
        train = np.repeat(cases(rng, 20, width), 2, axis=0)
        patients = [str(number // 2) for number in range(40)]
        inner = cases(rng, 4, width)
        told = learn_familiar(train, inner, patients=patients, rate=0.05)
        marked.append(told.are_unlike(told.distances(cases(rng, 100, width))).mean())
        near.append(told.limit[0])
        far.append(learn_familiar(train, inner, rate=0.05).limit[0])
        assert len(told.inner) == 4
    assert np.mean(marked) < 0.09
    assert np.median(near) < np.median(far)


@pytest.mark.parametrize(("width", "inner"), [(8, 10), (300, 20), (300, 200)])
def test_cases_far_away_are_marked(width, inner):
    rng = np.random.default_rng(2)
    told = learn_familiar(cases(rng, 40, width), cases(rng, inner, width))
    far = told.distances(cases(rng, 50, width, apart=20.0))
    assert told.are_unlike(far).all()
    assert (told.percentiles(far) == 1).all()


def test_a_direction_that_no_training_case_took_counts():
    rng = np.random.default_rng(3)
    flat = rng.normal(size=(60, 10)) * np.array([1.0] * 5 + [1e-3] * 5)
    told = learn_familiar(flat[:30], flat[30:])
    out = np.zeros((1, 10))
    out[0, 9] = 3.0
    assert told.are_unlike(told.distances(out)).all()


def test_the_percentile_is_the_share_of_inner_cases_that_lie_nearer():
    rng = np.random.default_rng(4)
    inner = cases(rng, 50, 5)
    told = learn_familiar(cases(rng, 50, 5), inner)
    own = told.distances(inner)
    expected = [(own < d).mean() for d in own]
    assert told.percentiles(own) == pytest.approx(expected)


def test_it_survives_as_arrays():
    rng = np.random.default_rng(5)
    told = learn_familiar(cases(rng, 100, 80), cases(rng, 30, 80))
    again = Familiar.from_arrays(told.to_arrays())
    asked = cases(rng, 7, 80).astype(np.float32)
    assert (again.distances(asked) == told.distances(asked)).all()
    assert (again.limit == told.limit).all()
    arrays = told.to_arrays()
    assert sum(a.nbytes for a in arrays.values()) < 70 * 80 * 8
    with pytest.raises(RunError, match="lacks 'limit'"):
        Familiar.from_arrays({k: v for k, v in arrays.items() if k != "limit"})


def test_without_inner_cases_nothing_is_marked():
    rng = np.random.default_rng(6)
    told = learn_familiar(cases(rng, 20, 4), cases(rng, 0, 4))
    far = told.distances(cases(rng, 3, 4, apart=50.0))
    assert not told.are_unlike(far).any()
    assert np.isnan(told.percentiles(far)).all()


def test_cases_that_are_all_alike():
    told = learn_familiar(np.ones((5, 3)), np.ones((4, 3)))
    assert told.are_unlike(
        told.distances(np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 1.0]]))
    ).tolist() == [
        False,
        True,
    ]


def test_what_cannot_be_told_is_refused():
    with pytest.raises(RunError, match="two training cases"):
        learn_familiar(np.ones((1, 3)), np.ones((4, 3)))
    told = learn_familiar(np.eye(3), np.eye(3))
    with pytest.raises(RunError, match="4 numbers"):
        told.distances(np.ones((1, 4)))
