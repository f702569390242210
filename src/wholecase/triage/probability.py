"""Windows of a slide and a run's models -> the probability of the positive class."""

import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8

from wholecase.answer.trained import TrainedRun
from wholecase.cohort import Case
from wholecase.core.digest import digest
from wholecase.core.errors import RunError
from wholecase.models import Batch, device_of

GPU_WINDOWS, CORE_WINDOWS = 256, 8
"""Judged at once on a GPU, and by each core: what the first block makes of eight windows still fits
a core's cache (130 windows a second and 0.6 GB, where 256 at once give 80 and 1.7 GB)."""


def judged(
    trained: TrainedRun, pixels: UInt8[np.ndarray, "n side side 3"], spacing_um: float
) -> tuple[Float64[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Of windows, each a case of its own: the probability, and whether it is unlike the patches.

    The first is the mean of the fold models' calibrated probabilities, the second what most say.
    """
    names = tuple(str(number) for number in range(len(pixels)))
    batch = Batch(
        values=torch.from_numpy(pixels).permute(0, 3, 1, 2),
        starts=torch.arange(len(pixels) + 1),
        cases=names,
        patients=names,
        scale=torch.full((len(pixels),), spacing_um),
    )
    cases = [Case(name, name, ()) for name in names]
    judged = trained.vote.judge_batch(batch, cases)
    unlike: Bool[np.ndarray, " n"] = np.array([one.is_unlike for one in judged], bool)
    return np.array([one.probabilities[1] for one in judged], np.float64), unlike


def windows_at_once(trained: TrainedRun) -> int:
    """How many windows the run's device judges fastest in one batch."""
    on_cpu = device_of(trained.members[0].model).type == "cpu"
    return min(GPU_WINDOWS, CORE_WINDOWS * torch.get_num_threads()) if on_cpu else GPU_WINDOWS


def threshold_of(trained: TrainedRun) -> float:
    """The run's own threshold, or one half where it has none.

    Raises:
        RunError: the run is no patch model of two classes.
    """
    where = trained.folder.root
    if len(trained.classes) != 2:
        raise RunError(
            f"{where} knows {len(trained.classes)} classes; triage needs a run of two, the second "
            "of which is looked for"
        )
    if asked := trained.recipe.cohort.covariates:
        raise RunError(
            f"{where} answers by {', '.join(asked)} as well, which no window of a slide has; "
            "triage needs a run of images alone"
        )
    if any(member.model.backbone is None for member in trained.members):
        raise RunError(
            f"{where} learnt from stored features; triage needs a run whose network reads pixels, "
            "such as one of the recipe pcam-attention"
        )
    return 0.5 if trained.threshold is None else trained.threshold


def models_digest(trained: TrainedRun) -> str:
    """Stands for all that the run's probabilities rest on: the models and their calibration."""
    import hashlib

    digests = []
    for member in trained.members:
        running = hashlib.sha256()
        for name, tensor in sorted(member.model.state_dict().items()):
            running.update(name.encode())
            running.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        knows = member.familiar is not None
        set_to = member.choices.temperature, *member.choices.shift
        digests.append([running.hexdigest(), *set_to, knows])
    return digest(models=digests, recipe=trained.recipe.model.model_dump(mode="json"))
