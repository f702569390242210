"""Plain models on one vector per case, to hold a run against on its own folds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from wholecase.core.lookup import look_up

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Inverse weights of the penalty from which logistic regression chooses; the strongest first."""
NEIGHBOURS = 7
"""At most, and never more than there are teaching cases."""


@dataclass(frozen=True)
class Vectors:
    """M cases as vectors of width D, and their classes."""

    features: Float[np.ndarray, "M D"]
    truth: Int[np.ndarray, " M"]


@dataclass(frozen=True)
class Sides:
    """One fold: who teaches, on whom the strength is chosen; no patient is on both."""

    train: Vectors
    inner: Vectors
    classes: int
    learns_inner: bool = False
    """Whether the inner cases teach too, once the strength is chosen."""

    @property
    def taught(self) -> Vectors:
        """What the final model learns from."""
        if not self.learns_inner:
            return self.train
        return Vectors(
            np.concatenate((self.train.features, self.inner.features)),
            np.concatenate((self.train.truth, self.inner.truth)),
        )


Baseline = Callable[[Sides, Float[np.ndarray, "M D"]], Float[np.ndarray, "M C"]]


def mean_features(
    features: Float[np.ndarray, "T D"], starts: Int[np.ndarray, " B1"]
) -> Float[np.ndarray, "B D"]:
    """The mean of each case's instances; case b has those from `starts[b]` to `starts[b + 1]`.

    >>> mean_features(np.array([[1.0], [3.0], [5.0]]), np.array([0, 2, 3])).tolist()
    [[2.0], [5.0]]
    """
    sums = np.add.reduceat(features.astype(np.float64), starts[:-1], axis=0)
    means: Float[np.ndarray, "B D"] = sums / np.diff(starts)[:, None]
    return means


def baseline(name: str, sides: Sides, asked: Float[np.ndarray, "M D"]) -> Float[np.ndarray, "M C"]:
    """Probabilities of the cases that are asked for, by a plain model of that name.

    Where the teaching cases are all of one class that class is certain.

    Raises:
        RecipeError: no baseline has that name.
    """
    chosen = look_up(BASELINES, name, "baseline")
    present = np.unique(sides.train.truth)
    if len(present) == 1:
        return np.tile(np.eye(sides.classes)[present[0]], (len(asked), 1))
    return chosen(sides, asked)


def _logistic(sides: Sides, asked: Float[np.ndarray, "M D"]) -> Float[np.ndarray, "M C"]:
    """Of the strengths the one of the smallest inner log loss; the strongest of equals."""
    strength = STRENGTHS[len(STRENGTHS) // 2]
    if len(truth := sides.inner.truth):
        inner = sides.inner.features
        tried = [_penalised(each, sides.train, inner, sides.classes) for each in STRENGTHS]
        strength = STRENGTHS[int(np.argmin([_loss(shares, truth) for shares in tried]))]
    return _penalised(strength, sides.taught, asked, sides.classes)


def _neighbours(sides: Sides, asked: Float[np.ndarray, "M D"]) -> Float[np.ndarray, "M C"]:
    """The classes of the nearest teaching cases, nearer ones weighing more."""
    from sklearn.neighbors import KNeighborsClassifier

    taught = sides.taught
    model = KNeighborsClassifier(min(NEIGHBOURS, len(taught.truth)), weights="distance")
    return _told(model, taught, asked, sides.classes)


def _centroid(sides: Sides, asked: Float[np.ndarray, "M D"]) -> Float[np.ndarray, "M C"]:
    """Softmax of minus the squared distance to each class's mean, per dimension."""
    from sklearn.neighbors import NearestCentroid
    from sklearn.preprocessing import StandardScaler

    taught = sides.taught
    scaler = StandardScaler().fit(taught.features)
    model = NearestCentroid().fit(scaler.transform(taught.features), taught.truth)
    gaps = scaler.transform(asked)[:, None] - model.centroids_
    nearness = -(gaps**2).mean(axis=2)
    shares = np.exp(nearness - nearness.max(axis=1, keepdims=True))
    return _placed(shares / shares.sum(axis=1, keepdims=True), model.classes_, sides.classes)


BASELINES: dict[str, Baseline] = {
    "logistic": _logistic,
    "neighbours": _neighbours,
    "centroid": _centroid,
}


def _penalised(
    strength: float, taught: Vectors, asked: Float[np.ndarray, "M D"], classes: int
) -> Float[np.ndarray, "M C"]:
    from sklearn.linear_model import LogisticRegression

    return _told(LogisticRegression(C=strength, max_iter=5000), taught, asked, classes)


def _told(
    model: object, taught: Vectors, asked: Float[np.ndarray, "M D"], classes: int
) -> Float[np.ndarray, "M C"]:
    """What a scikit-learn classifier says once it has learnt, each feature scaled to variance 1."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = make_pipeline(StandardScaler(), model).fit(taught.features, taught.truth)
    return _placed(fitted.predict_proba(asked), fitted.classes_, classes)


def _placed(
    shares: Float[np.ndarray, "M P"], present: Int[np.ndarray, " P"], classes: int
) -> Float[np.ndarray, "M C"]:
    """The shares of the classes that were taught, with 0 for the others."""
    placed = np.zeros((len(shares), classes))
    placed[:, present] = shares
    return placed


def _loss(shares: Float[np.ndarray, "M C"], truth: Int[np.ndarray, " M"]) -> float:
    likely = np.maximum(shares[np.arange(len(truth)), truth], 1e-12)
    return float(-np.log(likely).mean())
