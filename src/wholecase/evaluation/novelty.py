"""Whether a case is like anything that was learnt from: its distance to the training features."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Shaped

from wholecase.core.errors import RunError

RATE = 0.01
"""Share of cases of the same kind that is marked for nothing."""
MOST_DIRECTIONS = 64
"""Of greatest spread, told one by one; the others share a variance."""
PARTS = 5
"""In which training cases are looked at from the others."""
_LEAST = 1e-12


@dataclass(frozen=True)
class Novelty:
    """How far a case lies from what was learnt from."""

    distance: float
    """Mahalanobis's per dimension: about 1 for a case of the same kind."""
    percentile: float
    """The share of inner cases that lie nearer, 0 to 1; nan without inner cases."""
    is_unlike: bool
    """Whether it lies further than new cases of the same kind do."""


def together(novelties: Sequence[Novelty]) -> Novelty:
    """What several models find of one case: the medians, marked where more than half mark it.

    >>> together([Novelty(1.0, 0.5, False), Novelty(3.0, 1.0, True), Novelty(2.0, 1.0, True)])
    Novelty(distance=2.0, percentile=1.0, is_unlike=True)
    """
    distance, percentile = (
        float(np.median([getattr(one, name) for one in novelties]))
        for name in ("distance", "percentile")
    )
    return Novelty(
        distance, percentile, 2 * sum(one.is_unlike for one in novelties) > len(novelties)
    )


@dataclass(frozen=True)
class Familiar:
    """What the cases of a training side look like, and how far inner cases lie from them.

    The distance is Mahalanobis's with a shrunk covariance (Ledoit & Wolf 2004), per dimension.
    Inner cases were not learnt from, so that their distances are those of new cases.
    """

    mean: Float[np.ndarray, " D"]
    directions: Float[np.ndarray, "E D"]
    """Of unit length and at right angles to each other."""
    variances: Float[np.ndarray, " E"]
    """Along the directions."""
    elsewhere: Float[np.ndarray, " 1"]
    """The variance along every other direction."""
    inner: Float[np.ndarray, " I"]
    """Distances of the inner cases, ascending."""
    limit: Float[np.ndarray, " 1"]
    """Cases beyond it are unlike anything seen; infinite without two inner cases."""

    def distances(self, features: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " M"]:
        """How far cases lie from the training cases; `features` are made as those were.

        Raises:
            RunError: the features have another width than those that were learnt from.
        """
        if features.shape[1] != len(self.mean):
            raise RunError(
                f"these features have {features.shape[1]} numbers, those of the training cases "
                f"{len(self.mean)}; use the encoder of the run"
            )
        return _distances(self, features.astype(np.float64))

    def percentiles(self, distances: Float[np.ndarray, " M"]) -> Float[np.ndarray, " M"]:
        """The share of inner cases that lie nearer, 0 to 1; nan without inner cases."""
        if not len(self.inner):
            return np.full(len(distances), np.nan)
        return np.searchsorted(self.inner, distances, side="left") / len(self.inner)

    def are_unlike(self, distances: Float[np.ndarray, " M"]) -> Bool[np.ndarray, " M"]:
        """Which lie further than new cases of the same kind do, but for one in a hundred."""
        marked: Bool[np.ndarray, " M"] = distances > self.limit[0]
        return marked

    def judge(self, features: Float[np.ndarray, "M D"]) -> list[Novelty]:
        """The three together, case by case.

        Raises:
            RunError: the features have another width than those that were learnt from.
        """
        distances = self.distances(features)
        columns = distances, self.percentiles(distances), self.are_unlike(distances)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Novelty(*row) for row in rows]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As arrays by name, for a safetensors file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Familiar":
        """The same from what `to_arrays` gave.

        Raises:
            RunError: an array is missing.
        """
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in arrays]:
            raise RunError(
                f"the summary of training features lacks {missing[0]!r}; train the fold again"
            )
        return cls(**{name: arrays[name] for name in names})


def learn_familiar(
    train: Float[np.ndarray, "M D"],
    inner: Float[np.ndarray, "I D"],
    *,
    patients: Sequence[str] = (),
    rate: float = RATE,
) -> Familiar:
    """The summary of the training cases, with inner cases to judge distances by.

    Args:
        train: features of the training cases.
        inner: the same of cases that were not learnt from.
        patients: of the training cases. Where inner cases are few, training cases are then looked
            at as well, each from those of other patients (cross-conformal, Vovk 2015): the
            features must owe nothing to what was learnt.
        rate: of new cases of the same kind, the share that may be marked.

    Raises:
        RunError: there are fewer than two training cases.
    """
    if len(train) < 2:
        raise RunError("what is familiar takes two training cases at least")
    bare = _summary(train)
    known = np.sort(bare.distances(inner))
    looked_at = [known]
    if patients and len(known) < np.ceil(1 / rate) - 1:
        looked_at += _apart(train, np.array(patients, dtype=object))
    limit = np.array([_limit(np.sort(np.concatenate(looked_at)), rate)])
    return replace(bare, inner=known, limit=limit)


def _apart(
    train: Float[np.ndarray, "M D"], patients: Shaped[np.ndarray, " M"]
) -> Iterator[Float[np.ndarray, " m"]]:
    """The distances of training cases from those of other patients, part by part."""
    order = {patient: number for number, patient in enumerate(dict.fromkeys(patients.tolist()))}
    part = np.array([order[patient] % PARTS for patient in patients.tolist()])
    for number in range(PARTS):
        own = part == number
        if own.any() and (~own).sum() > 1:
            yield _summary(train[~own]).distances(train[own])


def _summary(train: Float[np.ndarray, "M D"]) -> Familiar:
    """Without anybody to judge distances by."""
    from sklearn.covariance import ledoit_wolf_shrinkage

    values = train.astype(np.float64)
    mean = values.mean(axis=0)
    shrinkage = float(ledoit_wolf_shrinkage(values))
    _, lengths, directions = np.linalg.svd(values - mean, full_matrices=False)
    own = lengths**2 / len(values)
    average = own.sum() / len(mean)
    kept = min(MOST_DIRECTIONS, len(own), max(len(mean) - 1, 1))
    variances = (1 - shrinkage) * own[:kept] + shrinkage * average
    others = max(len(mean) - kept, 1)
    rest = (1 - shrinkage) * own[kept:].sum() / others + shrinkage * average
    return Familiar(
        mean,
        directions[:kept],
        np.maximum(variances, _LEAST),
        np.array([max(float(rest), _LEAST)]),
        np.empty(0),
        np.array([np.inf]),
    )


def _distances(familiar: Familiar, values: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " M"]:
    off = values - familiar.mean
    along = off @ familiar.directions.T  # [M, E]
    beside = np.maximum((off**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
    squared = (along**2 / familiar.variances).sum(axis=1) + beside / familiar.elsewhere[0]
    distances: Float[np.ndarray, " M"] = np.sqrt(squared / len(familiar.mean))
    return distances


def _limit(known: Float[np.ndarray, " I"], rate: float) -> float:
    """Beyond which one in 1 / rate new cases of the same kind lies, at most.

    The rank among the inner cases that holds whatever their distribution (Vovk 2005), where there
    are enough of them; else the prediction limit of a normal distribution of log distances.
    """
    from scipy.special import stdtrit

    n = len(known)
    rank = int(np.ceil((1 - rate) * (n + 1)))
    if rank <= n:
        return float(known[rank - 1])
    if n < 2:
        return float("inf")
    logs = np.log(np.maximum(known, _LEAST))
    reach = stdtrit(n - 1, 1 - rate) * logs.std(ddof=1) * np.sqrt(1 + 1 / n)
    return float(np.exp(logs.mean() + reach))
