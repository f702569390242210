"""Images that are judged alone: what each would be called, were it all of its case."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from wholecase.cohort import Case
from wholecase.explain import Evidence
from wholecase.training import Choices


@dataclass(frozen=True)
class ImageAlone:
    """What is said of one image."""

    probabilities: Float[np.ndarray, " C"]
    """Calibrated as those of cases."""
    decision: int
    """At the threshold of cases."""


def images_alone(
    case: Case, evidence: Evidence, choices: Choices
) -> Mapping[int, ImageAlone] | None:
    """By number of the image what the case's own judge says of it alone.

    An image that no set of views has shown is left out. None unless the case has a label and
    several photographs (`kind: still`), each of which is one instance: tiles and slices are parts.
    """
    alone = evidence.alone
    if alone is None or case.target is None or evidence.plane is not None:
        return None
    numbers = evidence.image.tolist()
    if len(set(numbers)) < max(2, len(numbers)) or {i.kind for i in case.images} != {"still"}:
        return None
    told = np.flatnonzero(np.isfinite(alone).all(1))
    rows = alone[told].astype(np.float64)
    return {
        numbers[i]: ImageAlone(row, int(decision))
        for i, row, decision in zip(told, rows, choices.decide(rows), strict=True)
    }
