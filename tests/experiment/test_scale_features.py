"""Features of each magnification, for plain models that take no gaps."""

import numpy as np

from wholecase.experiment.scale_features import filled, means_of, of_each_scale

F = np.float32


def test_means_by_scale_and_side_by_side() -> None:
    a = means_of(np.array([[1, 2], [3, 4], [9, 9]], F), np.array([40, 40, 100], F))
    b = means_of(np.array([[5, 6], [7, 7]], F), np.array([100.001, np.nan], F))
    assert {name: vector.tolist() for name, vector in a.items()} == {
        "at_40": [2, 3],
        "at_100": [9, 9],
    }
    told = of_each_scale({"a": a, "b": b})
    assert list(told) == ["at_40", "at_100", "side_by_side"], "by size, not by letters"
    np.testing.assert_array_equal(told["at_40"]["b"], [np.nan, np.nan])
    np.testing.assert_array_equal(told["side_by_side"]["a"], [2, 3, 9, 9])
    np.testing.assert_array_equal(told["side_by_side"]["b"], [np.nan, np.nan, 5, 6])


def test_one_scale_none_or_too_many_are_no_magnifications() -> None:
    def case(*scales: float) -> dict[str, np.ndarray]:
        return means_of(np.ones((len(scales), 2), F), np.array(scales, F))

    assert of_each_scale({"a": case(0.5), "b": case(0.5004)}) == {}
    assert of_each_scale({"a": case(np.nan), "b": case(np.nan)}) == {}
    assert of_each_scale({str(i): case(0.2 + i / 50) for i in range(9)}) == {}


def test_a_gap_becomes_the_mean_of_those_who_teach() -> None:
    taught = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan]])
    told, (other,) = filled(taught, [np.array([[np.nan, np.nan, 7.0]])])
    np.testing.assert_array_equal(told, [[1, 4, 0], [3, 4, 0]])
    np.testing.assert_array_equal(other, [[2, 4, 7]])
