"""Nothing can be chosen on outer cases."""

from pathlib import Path

import numpy as np
import pytest

from wholecase.cohort import Case, Fold, Image
from wholecase.core.errors import RecipeError, SplitError
from wholecase.training import Choices, Inner, choose


def case(name: str, target: int) -> Case:
    return Case(name, f"p{name}", (Image(Path(name), "tile", 2),), "x", target)


def fold() -> Fold:
    names = [case(str(i), i % 2) for i in range(12)]
    return Fold(0, tuple(names[:4]), tuple(names[4:8]), tuple(names[8:]))


def inner(cases: tuple[str, ...]) -> Inner:
    truth = np.array([int(name) % 2 for name in cases])
    positive = np.where(truth == 1, 0.3, 0.1) + np.arange(len(cases)) * 0.01
    return Inner((fold(),), cases, truth, np.stack([1 - positive, positive], 1))


def test_outer_and_training_cases_cannot_be_put_in() -> None:
    inner(("4", "5", "6", "7"))
    for stranger in ("8", "0"):
        with pytest.raises(SplitError, match=f"'{stranger}' is not an inner"):
            inner(("4", "5", stranger))


def test_the_threshold_follows_its_rule_and_decides() -> None:
    chosen = choose(inner(("4", "5", "6", "7")), threshold="f1", calibration="none")
    assert chosen.temperature == 1.0
    assert chosen.threshold is not None
    assert 0.12 < chosen.threshold < 0.31
    rows = np.array([[0.7, 0.3], [0.9, 0.1]])
    assert chosen.decide(rows).tolist() == [1, 0]


def test_calibration_keeps_the_order() -> None:
    chosen = choose(inner(("4", "5", "6", "7")), threshold="half", calibration="temperature")
    rows = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    calibrated = chosen.calibrated(rows)
    np.testing.assert_allclose(calibrated.sum(1), 1)
    assert np.argsort(calibrated[:, 1]).tolist() == [0, 1, 2]


def test_a_shift_makes_probabilities_honest_and_moves_no_decision() -> None:
    """Learning from as many cases of each class calls everything too often positive."""
    rng = np.random.default_rng(0)
    truth = (np.arange(400) % 5 == 0).astype(int)
    odds = 3 * (truth - 0.5) + 1.5 * rng.normal(size=400)
    positive = 1 / (1 + np.exp(-odds))
    names = [case(str(i), t) for i, t in enumerate(truth.tolist())]
    asked = Inner(
        (Fold(0, (case("t0", 0), case("t1", 1)), tuple(names), (case("o", 0),)),),
        tuple(one.id for one in names),
        truth,
        np.stack([1 - positive, positive], 1),
    )
    settings = {"threshold": "smoothed_balanced", "seed": 1}
    plain = choose(asked, calibration="smoothed", **settings)
    moved = choose(asked, calibration="bias_corrected", **settings)
    before, after = (one.calibrated(asked.probabilities) for one in (plain, moved))
    assert before[:, 1].mean() > 0.25
    assert after[:, 1].mean() == pytest.approx(0.2, abs=0.02)
    assert (plain.decide(before) != moved.decide(after)).mean() < 0.02
    assert moved.half < 0.4, "what was one half lies below"


def test_several_classes_are_not_shifted() -> None:
    cases = ("4", "5", "6", "7")
    asked = inner(cases)
    three = np.concatenate([asked.probabilities * 0.9, np.full((4, 1), 0.1)], 1)
    told = choose(
        Inner(asked.parts, cases, asked.truth, three),
        threshold="half",
        calibration="bias_corrected",
    )
    assert told.shift == ()


def test_several_classes_have_no_threshold() -> None:
    rows = np.array([[0.2, 0.5, 0.3]])
    assert Choices(1.0, None).decide(rows).tolist() == [1]


def test_unknown_rules_are_named() -> None:
    cases = ("4", "5", "6", "7")
    with pytest.raises(RecipeError, match="did you mean 'youden'"):
        choose(inner(cases), threshold="yoden", calibration="none")
    with pytest.raises(RecipeError, match="did you mean 'temperature'"):
        choose(inner(cases), threshold="f1", calibration="temprature")
