"""Whether a case is like those that a model learnt from, by vectors that owe nothing to learning.

Where features are frozen they are the stored ones. A network that learns from pixels has its own,
but these keep only what its task needs: skin looked to one like the drawn nests that it knew. So
there it is plain numbers of what the network gets.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from wholecase.answer.bags import examples_of
from wholecase.assemble import batches_of
from wholecase.cohort import Case
from wholecase.core.errors import RunError
from wholecase.core.files import write_bytes
from wholecase.core.seeds import generator
from wholecase.evaluation import Familiar, learn_familiar, mean_features
from wholecase.extract import Extraction
from wholecase.models import Batch, CaseModel, device_of
from wholecase.recipes import Recipe

SCALES = 4
"""At which contrasts are taken, each half as fine as the one before."""
MOST_CASES = 2000
"""Of a larger side so many, drawn by the fold's seed: a mean and its spread are sure enough."""


def features_of(model: CaseModel, batch: Batch) -> Float[np.ndarray, "B D"]:
    """One vector per case of a batch: the mean of what its instances are described by."""
    values = batch.values
    if model.backbone is not None:
        with torch.no_grad():
            values = _described(model.seen(batch.to(device_of(model))).values)
    return mean_features(values.float().cpu().numpy(), batch.starts.cpu().numpy())


def _described(pixels: Float[Tensor, "T C H W"]) -> Float[Tensor, "T D"]:
    """Of what a network gets: each channel's mean and contrast, fine and coarse, and their bond."""
    parts = [pixels.mean((2, 3))]
    for _ in range(SCALES):
        parts.append(pixels.std((2, 3), correction=0))
        parts.append((pixels[..., 1:] - pixels[..., :-1]).abs().mean((2, 3)))
        if min(pixels.shape[2:]) < 4:
            break
        pixels = avg_pool2d(pixels, 2)
    off = pixels - pixels.mean((2, 3), keepdim=True)
    channels = range(pixels.shape[1])
    bonds = [(off[:, a] * off[:, b]).mean((1, 2)) for a in channels for b in channels if a < b]
    spread = [bond.sign() * bond.abs().sqrt() for bond in bonds]  # in the unit of the contrasts
    return torch.cat([*parts, *(bond[:, None] for bond in spread)], 1)


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
    train, inner = (np.concatenate([features_of(model, b) for b in each]) for each in batches)
    return learn_familiar(train, inner, patients=[case.patient for case in drawn[0]])


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
