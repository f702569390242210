"""Whether a case is like those that a model learnt from: the mean of its instances' vectors.

Where features are frozen these are the stored ones. A network that learns from pixels has no others
than its own: those that its aggregator pooled.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wholecase.answer.bags import examples_of
from wholecase.assemble import batches_of
from wholecase.cohort import Case
from wholecase.core.errors import RunError
from wholecase.core.files import write_bytes
from wholecase.core.seeds import generator
from wholecase.evaluation import Familiar, learn_familiar, mean_features
from wholecase.extract import Extraction
from wholecase.models import Answer, Batch, CaseModel, answers
from wholecase.recipes import Recipe

MOST_CASES = 2000
"""Of a larger side so many, drawn by the fold's seed: a mean and its spread are sure enough."""


def features_of(
    model: CaseModel, batch: Batch, answer: Answer | None = None
) -> Float[np.ndarray, "B D"]:
    """One vector per case of a batch; a network that was asked already gives its `answer`."""
    if model.backbone is None:
        return _means(batch.values, batch.starts)
    if answer is None:
        (answer,) = answers(model, [batch])
    return _means(answer.pooled.instances, answer.pooled.starts)


def familiar_of(
    model: CaseModel,
    recipe: Recipe,
    sides: tuple[Sequence[Case], Sequence[Case]],
    extraction: Extraction,
    *,
    seed: int,
) -> Familiar:
    """What the training cases look like, with the inner cases to judge distances by.

    Args:
        model: that learnt from the first side.
        recipe: that it was learnt by; its batches bound what is in memory.
        sides: training and inner cases, each with a bag.
        extraction: where the bags are.
        seed: draws `MOST_CASES` of a side that has more.
    """
    drawn = [_drawn(side, seed) for side in sides]
    examples = (examples_of(side, extraction, classes=0) for side in drawn)
    batches = (batches_of(recipe, one, seed=0).once() for one in examples)
    train, inner = (np.concatenate(list(_features(model, each))) for each in batches)
    # a network has come to know its training cases, so that these lie nearer than new ones
    patients = [case.patient for case in drawn[0]] if model.backbone is None else []
    return learn_familiar(train, inner, patients=patients)


def write_familiar(path: Path, familiar: Familiar) -> None:
    """Store as safetensors, whole or not at all."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(a) for name, a in familiar.to_arrays().items()}
    write_bytes(path, save(arrays))


def read_familiar(path: Path) -> Familiar | None:
    """What `write_familiar` stored; None for a run that kept none, such as an imported one.

    Raises:
        RunError: the file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        return None
    try:
        return Familiar.from_arrays(load_file(path))
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} is damaged; delete it and run again to write it anew") from error


def _drawn(cases: Sequence[Case], seed: int) -> list[Case]:
    rng = generator(seed, "familiar")
    return [cases[i] for i in sorted(rng.permutation(len(cases))[:MOST_CASES].tolist())]


def _features(model: CaseModel, batches: Iterable[Batch]) -> Iterator[Float[np.ndarray, "B D"]]:
    return (features_of(model, batch) for batch in batches)


def _means(values: Tensor, starts: Tensor) -> Float[np.ndarray, "B D"]:
    return mean_features(values.float().cpu().numpy(), starts.cpu().numpy())
