"""A metric and its facts: all that an interval, a page or a training must know to use it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from jaxtyping import Float, Int

from wholecase.evaluation.bounds import Ends, mean_of_means
from wholecase.evaluation.scores import Scores

Truth = Int[np.ndarray, " M"]
Probabilities = Float[np.ndarray, "M C"]
Decision = Int[np.ndarray, " M"]
Weights = Float[np.ndarray, "R M"]
Values = Float[np.ndarray, " R"]
Weighted = Callable[[Truth, Probabilities, Decision, Weights], Values]
Terms = Callable[[Truth, Probabilities, Decision], Float[np.ndarray, "M S"]]
Bound = Callable[[Scores, float], Ends | None]
ByJudge = Callable[[Scores, Weights], Values]


@final
@dataclass(frozen=True)
class Metric:
    """One number for M cases; nan where it is undefined, for instance when one class is there.

    With two classes the second is the positive one. With more, a metric is the plain mean of its
    one-against-rest values over the classes that occur in the truth.
    """

    weighted: Weighted
    """The same for R weightings of the cases at once (a weight of 2: the case is there twice).

    A weighting that leaves out a class which occurs in the truth gives nan where the metric needs
    that class: a mean over fewer classes would be another quantity.
    """
    rests_on: Literal["probabilities", "decisions"]
    """What of an answer it looks at; the other may change and it does not."""
    over: Literal["cases", "classes"]
    """Whose number makes it sure: of all patients, or of those of the class that is rarest."""
    needs: tuple[int, ...] = ()
    """The classes (of two) without which it is nan; of several, two must occur where both do."""
    within: Ends = (0.0, 1.0)
    within_of_many: Ends | None = None
    """The range with more than two classes, where it is another."""
    best: float = 1.0
    """The value of a perfect answer; higher or lower is worse on its way to the range's ends."""
    terms: Terms | None = None
    """A number per case and column, nan where the case does not count, all in the metric's range:
    it is the mean over columns of the mean of each. None where it is no such mean."""
    bound: Bound | None = None
    """The interval of few patients at an alpha, where it does not follow from `terms`."""
    is_redrawn: bool = True
    """Whether redraws of patients vary as new patients would."""
    two_classes_only: bool = False
    by_judge: ByJudge | None = None
    """The value where several judges spoke, if that is not what one would have had who said it all:
    ranks of two are not compared."""
    several_judges_only: bool = False
    says: str = ""
    """What it tells, in a sentence for people, where the report has none of its own."""

    def __call__(self, truth: Truth, probabilities: Probabilities, decision: Decision) -> float:
        """The value with each case counted once."""
        return float(self.weighted(truth, probabilities, decision, np.ones((1, len(truth))))[0])

    def of(self, scores: Scores, weights: Weights) -> Values:
        """The values of R weightings, by what each judge said where there are several."""
        if self.by_judge is not None and scores.has_several_judges:
            return self.by_judge(scores, weights)
        return self.weighted(scores.truth, scores.probabilities, scores.decision, weights)

    def once(self, scores: Scores) -> float:
        """The value with each case counted once."""
        return float(self.of(scores, np.ones((1, len(scores.truth))))[0])

    @property
    def higher_is_better(self) -> bool | None:
        """None where the best value lies within the range."""
        if self.best == self.within[1]:
            return True
        return False if self.best == self.within[0] else None

    def cost(self, value: float) -> float:
        """The value so that lower is better.

        >>> Metric(weighted=max, rests_on="decisions", over="cases").cost(0.75)
        -0.75
        """
        if self.higher_is_better is None:
            return abs(value - self.best)
        return -value if self.higher_is_better else value

    def range_of(self, classes: int) -> Ends:
        """Between which values it lies."""
        return self.within_of_many if classes > 2 and self.within_of_many else self.within

    def fits(self, classes: int, *, several_judges: bool = False) -> bool:
        """Whether it is defined for so many classes, and says something of its own."""
        if self.several_judges_only and not several_judges:
            return False
        return classes == 2 or not self.two_classes_only

    def suits(self, scores: Scores) -> bool:
        """Whether it fits what these hold."""
        return self.fits(scores.classes, several_judges=scores.has_several_judges)

    def resting(self, scores: Scores) -> int:
        """How many patients it rests on."""
        patients = np.array(scores.patients, dtype=object)
        if self.over == "cases":
            return len(set(scores.patients))
        judged = np.unique(scores.truth)
        if scores.classes == 2 and len(self.needs) == 1:
            judged = np.array(self.needs)
        return min(len(set(patients[scores.truth == c])) for c in judged)

    def ends_of_few(self, scores: Scores, alpha: float) -> Ends | None:
        """The interval by formula; None where there is none. The value must be defined."""
        if self.bound is not None:
            return self.bound(scores, alpha)
        if self.terms is None:
            return None
        terms = self.terms(scores.truth, scores.probabilities, scores.decision)
        return mean_of_means(terms, scores.patients, alpha, self.range_of(scores.classes))
