"""What may be chosen is chosen on inner patients only."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from wholecase.cohort import Fold
from wholecase.core.errors import RecipeError, SplitError
from wholecase.core.lookup import look_up, nearest
from wholecase.evaluation import THRESHOLDS, apply_temperature, fit_temperature

CALIBRATIONS = ("none", "temperature")


@dataclass(frozen=True)
class Inner:
    """Predictions for the inner validation cases of one fold; no other can be put in."""

    fold: Fold
    cases: tuple[str, ...]
    truth: Int[np.ndarray, " M"]
    probabilities: Float[np.ndarray, "M C"]

    def __post_init__(self) -> None:
        allowed = {case.id for case in self.fold.valid}
        if strangers := set(self.cases) - allowed:
            raise SplitError(
                f"fold {self.fold.number}: {sorted(strangers)[0]!r} is not an inner "
                "validation case; nothing may be chosen on it"
            )

    @property
    def patients(self) -> int:
        """How many patients stand behind the choice."""
        return len({case.patient for case in self.fold.valid if case.id in set(self.cases)})


@dataclass(frozen=True)
class Choices:
    """What a fold decided before its test patients were looked at."""

    temperature: float
    threshold: float | None
    """On the positive class's calibrated probability; None with more than two classes."""

    def calibrated(self, probabilities: Float[np.ndarray, "M C"]) -> Float[np.ndarray, "M C"]:
        """Probabilities after temperature scaling (Guo 2017)."""
        return apply_temperature(probabilities, self.temperature)

    def decide(self, calibrated: Float[np.ndarray, "M C"]) -> Int[np.ndarray, " M"]:
        """Index of the class: above the threshold, or the most probable of several."""
        if self.threshold is None:
            decided: Int[np.ndarray, " M"] = calibrated.argmax(1)
        else:
            decided = (calibrated[:, 1] > self.threshold).astype(np.int64)
        return decided


def choose(inner: Inner, *, threshold: str, calibration: str) -> Choices:
    """Set temperature, then threshold, by the recipe's rules."""
    if calibration not in CALIBRATIONS:
        raise RecipeError(
            f"no calibration is called {calibration!r}{nearest(calibration, CALIBRATIONS)}"
        )
    rule = look_up(THRESHOLDS, threshold, "threshold rule")
    temperature = (
        fit_temperature(inner.truth, inner.probabilities) if calibration == "temperature" else 1.0
    )
    if inner.probabilities.shape[1] != 2:
        return Choices(temperature, None)
    calibrated = apply_temperature(inner.probabilities, temperature)
    return Choices(temperature, float(rule(inner.truth, calibrated[:, 1])))
