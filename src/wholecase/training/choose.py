"""What may be chosen is chosen on inner patients only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from wholecase.cohort import Fold
from wholecase.core.errors import RecipeError, SplitError
from wholecase.core.lookup import nearest
from wholecase.evaluation import (
    ThresholdChoice,
    apply_temperature,
    bias_corrected,
    fit_temperature,
    smoothed_temperature,
    threshold_rule,
)
from wholecase.models import Head

CALIBRATIONS = ("none", "temperature", "smoothed", "bias_corrected")


@dataclass(frozen=True)
class Inner:
    """Predictions for the inner validation cases of one fold; no other can be put in."""

    parts: tuple[Fold, ...]
    """Its division into those who taught and those who are asked; several with inner folds."""
    cases: tuple[str, ...]
    truth: Int[np.ndarray, " M"]
    probabilities: Float[np.ndarray, "M C"]

    def __post_init__(self) -> None:
        if strangers := set(self.cases) - set(self._patients):
            raise SplitError(
                f"fold {self.parts[0].number}: {sorted(strangers)[0]!r} is not an inner "
                "validation case; nothing may be chosen on it"
            )

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose each case is: they stand behind the choice."""
        known = self._patients
        return tuple(known[case] for case in self.cases)

    @property
    def _patients(self) -> dict[str, str]:
        return {case.id: case.patient for part in self.parts for case in part.valid}


@dataclass(frozen=True)
class Choices:
    """What a fold decided before its test patients were looked at."""

    temperature: float = 1.0
    threshold: float | None = None
    """On the positive class's calibrated probability; None with more than two classes."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """What the head itself may choose, such as `k` of its neighbours."""
    worth: ThresholdChoice | None = None
    """How sure the threshold is, and what it and one half give on the inner cases."""
    shift: tuple[float, ...] = ()
    """What is added to the logarithm of each class's probability; none where nothing is."""

    def calibrated(self, probabilities: Float[np.ndarray, "M C"]) -> Float[np.ndarray, "M C"]:
        """Probabilities after temperature scaling (Guo 2017), and the shift."""
        return apply_temperature(probabilities, self.temperature, self.shift)

    @property
    def half(self) -> float:
        """What one half of the positive class's probability became by the shift."""
        if not self.shift:
            return 0.5
        return float(apply_temperature(np.full((1, 2), 0.5), 1.0, self.shift)[0, 1])

    def decide(self, calibrated: Float[np.ndarray, "M C"]) -> Int[np.ndarray, " M"]:
        """Index of the class: above the threshold, or the most probable of several."""
        if self.threshold is None:
            decided: Int[np.ndarray, " M"] = calibrated.argmax(1)
        else:
            decided = (calibrated[:, 1] > self.threshold).astype(np.int64)
        return decided


def choose_head(heads: Sequence[Head], inner: Callable[[], Inner]) -> dict[str, Any]:
    """Set what the head may choose, one name after the other, by the loss of the inner cases.

    Args:
        heads: of the models that are asked, alike; left with the best candidates, the first of
            equals.
        inner: asks the models about the inner cases anew.
    """
    chosen: dict[str, Any] = {}
    for name, values in heads[0].candidates().items():
        losses = []
        for value in values:
            _adopt(heads, {**chosen, name: value})
            losses.append(_loss(inner()))
        chosen[name] = values[int(np.argmin(losses))]
        _adopt(heads, chosen)
    return chosen


def _adopt(heads: Sequence[Head], chosen: Mapping[str, Any]) -> None:
    for head in heads:
        head.adopt(chosen)


def choose(inner: Inner, *, threshold: str, calibration: str, seed: int = 0) -> Choices:
    """Set temperature and shift, then threshold, by the recipe's rules.

    `seed` is of redraws of patients.
    """
    if calibration not in CALIBRATIONS:
        raise RecipeError(
            f"no calibration is called {calibration!r}{nearest(calibration, CALIBRATIONS)}"
        )
    rule = threshold_rule(threshold)
    set_first = _calibration(inner, calibration, seed)
    if inner.probabilities.shape[1] != 2:
        return set_first
    said, half = set_first.calibrated(inner.probabilities)[:, 1], set_first.half
    worth = rule.choose(inner.truth, said, inner.patients, seed=seed, default=half)
    return replace(set_first, threshold=float(worth.value), worth=worth)


def _calibration(inner: Inner, calibration: str, seed: int) -> Choices:
    pair = inner.truth, inner.probabilities
    if calibration == "bias_corrected" and inner.probabilities.shape[1] == 2:
        temperature, shift = bias_corrected(*pair)
        return Choices(temperature, shift=shift)
    if calibration in {"smoothed", "bias_corrected"}:  # of several classes a shift is not tried
        return Choices(smoothed_temperature(*pair, inner.patients, seed=seed).value)
    return Choices(fit_temperature(*pair) if calibration == "temperature" else 1.0)


def _loss(inner: Inner) -> float:
    """Mean log loss, bounded where a vote of neighbours is sure and wrong."""
    true = inner.probabilities[np.arange(len(inner.truth)), inner.truth]
    return float(-np.log(np.clip(true, 1e-3, 1)).mean())
