"""What supports an answer: the weight of every instance, with its place."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int64

from wholecase.core.errors import RunError
from wholecase.core.files import write_bytes


@dataclass(frozen=True)
class Evidence:
    """The N instances of one case as the model weighed them; K branches."""

    weights: Float[np.ndarray, "N K"]
    """Sum to 1 over the case, per branch."""
    scores: Float[np.ndarray, "N K"]
    """The same before the softmax."""
    image: Int64[np.ndarray, " N"]
    """Which of the case's images an instance was cut from, in the manifest's order."""
    box_px: Int64[np.ndarray, "N 4"]
    """x, y of the top left, width, height, in level-0 pixels of that image."""
    position_um: Float32[np.ndarray, "N 3"]
    logits: Float[np.ndarray, "N L"]
    """What each instance says: its weight times (logit of it alone - logit of the mean instance).
    L is 1 for a binary head (towards the positive class) and else one per class; [N, 0] where the
    head has no logits of single instances."""

    def of_image(self, number: int) -> "Evidence":
        """The instances of one image; the weights are not rescaled."""
        here = self.image == number
        return Evidence(**{f.name: getattr(self, f.name)[here] for f in fields(self)})


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Store as safetensors, whole or not at all."""
    from safetensors.numpy import save

    columns = {f.name: np.ascontiguousarray(getattr(evidence, f.name)) for f in fields(evidence)}
    write_bytes(path, save(columns))


def read_evidence(path: Path) -> Evidence:
    """Read what `write_evidence` stored.

    Raises:
        RunError: the file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return Evidence(**load_file(path))
    except (OSError, SafetensorError, TypeError) as error:
        raise RunError(f"{path} is missing or damaged; run again to write it anew") from error
