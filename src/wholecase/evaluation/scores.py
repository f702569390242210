"""What a model said about cases whose truth is known."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from wholecase.core.errors import RunError


@dataclass(frozen=True)
class Scores:
    """Truth, probabilities and decision of M cases, and whose they are; M >= 1, C >= 2.

    Raises:
        RunError: lengths differ, a class lies outside 0..C-1, or a row of probabilities is not
            finite, not within 0..1 or does not sum to 1.
    """

    truth: Int[np.ndarray, " M"]
    probabilities: Float[np.ndarray, "M C"]
    decision: Int[np.ndarray, " M"]
    patients: tuple[str, ...]
    """The patient of each case; resampling takes all cases of a patient together."""
    judges: Int[np.ndarray, " M"] | None = None
    """Who said it of each case, by number: models of several folds; None where it was one. Ranks
    are compared within what one judge said, and patients are resampled among its own."""

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        lengths = {len(self.truth), len(self.probabilities), len(self.decision), len(self.patients)}
        if len(lengths) != 1 or not len(self.truth):
            raise RunError(
                f"truth, probabilities, decision and patients hold {len(self.truth)}, "
                f"{len(self.probabilities)}, {len(self.decision)} and {len(self.patients)} cases; "
                "give the same cases to all four, at least one"
            )
        if self.judges is not None and len(self.judges) != len(self.truth):
            raise RunError(
                f"{len(self.judges)} judges are named for {len(self.truth)} cases; name one of each"
            )
        if self.probabilities.ndim != 2 or self.classes < 2:
            raise RunError("probabilities need a column for each class, at least two")
        for name, values in (("truth", self.truth), ("decision", self.decision)):
            if values.min() < 0 or values.max() >= self.classes:
                raise RunError(f"{name} names a class outside 0 to {self.classes - 1}")
        self._check_rows()

    def _check_rows(self) -> None:
        rows = self.probabilities.astype(np.float64)
        good = np.isfinite(rows).all(axis=1) & ((rows >= -1e-4) & (rows <= 1 + 1e-4)).all(axis=1)
        good &= np.abs(np.where(np.isfinite(rows), rows, 0).sum(axis=1) - 1) <= 1e-4
        if not good.all():
            row = int(np.argmin(good))
            raise RunError(
                f"the probabilities of case {row} (patient {self.patients[row]!r}) are "
                f"{rows[row].tolist()}; they must be finite, within 0 to 1, and sum to 1"
            )

    @property
    def has_several_judges(self) -> bool:
        """Whether there are ranks that compare two models."""
        return self.judges is not None and len(np.unique(self.judges)) > 1

    @property
    def classes(self) -> int:
        """How many classes there are, whether or not they occur."""
        return int(self.probabilities.shape[1])
