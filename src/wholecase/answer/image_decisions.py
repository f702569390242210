"""Images that are judged alone: what each would be called, were it all of its case."""

from collections.abc import Mapping

import numpy as np

from wholecase.cohort import Case
from wholecase.explain import Evidence
from wholecase.training import Choices


def images_right(case: Case, evidence: Evidence, choices: Choices) -> Mapping[int, bool] | None:
    """By number of the image whether it alone is decided rightly, at the case's own threshold.

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
    decided = choices.decide(alone[told].astype(np.float64))
    return {numbers[i]: bool(d == case.target) for i, d in zip(told, decided, strict=True)}
