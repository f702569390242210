"""Where the cases of one fold lie among each other, in two dimensions, for people to look at.

The plane is that in which the training cases of the fold vary most (principal components of their
vectors); the test cases, which the model never saw, are laid into it. No figure rests on it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from wholecase.answer import FoldModel, examples_of, load_fold
from wholecase.assemble import batches_of
from wholecase.cohort import Case
from wholecase.core.files import write_json
from wholecase.core.kinds import RGB
from wholecase.experiment.outer import Bench
from wholecase.extract import Extraction
from wholecase.models import HEADS, answers

LEAST = 3
"""Training cases that span a plane."""


def write_embedding_map(bench: Bench) -> None:
    """Write `embedding.json` of the first fold; no file where the head compares no cases."""
    path, fold = bench.run.embedding, bench.folds[0]
    path.unlink(missing_ok=True)
    if not HEADS[bench.recipe.model.head.name].remembers or len(fold.train) < LEAST:
        return
    takes = bench.extraction.width, bench.extraction.kind or RGB
    member = load_fold(bench.run, fold.number, bench.recipe, takes, bench.place.device)
    sides = {"train": fold.train, "test": fold.test}
    vectors = {side: _vectors(member, cases, bench.extraction) for side, cases in sides.items()}
    places, explained = _plane(vectors["train"], vectors)
    cases = [
        _told(case, side, bench.classes, place)
        for side, own in sides.items()
        for case, place in zip(own, places[side].tolist(), strict=True)
    ]
    write_json(path, {"fold": fold.number, "explained": explained, "cases": cases})


def _vectors(
    member: FoldModel, cases: Sequence[Case], extraction: Extraction
) -> Float[np.ndarray, "M E"]:
    """By what the cases are compared, of length 1."""
    examples = examples_of(cases, extraction, classes=len(member.classes))
    batches = batches_of(member.recipe, examples, 0)
    kept = member.model.head.remembered(answers(member.model, batches.once()))
    vectors: Float[np.ndarray, "M E"] = kept["memory"].double().cpu().numpy()
    return vectors


def _plane(
    spanning: Float[np.ndarray, "M E"], vectors: dict[str, Float[np.ndarray, "N E"]]
) -> tuple[dict[str, Float[np.ndarray, "N 2"]], list[float]]:
    """Places along the two components, and which share of the variance each explains."""
    from sklearn.decomposition import PCA

    plane = PCA(min(2, spanning.shape[1]), svd_solver="full").fit(spanning)
    places = {side: plane.transform(own) for side, own in vectors.items()}
    if spanning.shape[1] == 1:
        places = {side: np.pad(own, ((0, 0), (0, 1))) for side, own in places.items()}
    return places, plane.explained_variance_ratio_.tolist()


def _told(case: Case, side: str, classes: Sequence[str], place: Sequence[float]) -> dict[str, Any]:
    label = None if case.target is None else classes[case.target]
    x, y = (round(at, 5) for at in place)
    return {"case_id": case.id, "side": side, "label": label, "x": x, "y": y}
