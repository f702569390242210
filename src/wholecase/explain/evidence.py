"""What supports an answer: the weight of every instance, with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

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

    maps: Mapping[str, Float[np.ndarray, "N h w"]] = field(default_factory=dict)
    """Where within each instance, by the name of the method, for models that learn from pixels;
    each instance is divided into h x w equal cells."""
    plane: Int64[np.ndarray, " N"] | None = None
    """Number of the slice that each instance lies on; None where all lie on the first."""
    of: int = 0
    """How many instances the case has, where these are not all of them."""
    alone: Float[np.ndarray, "N C"] | None = None
    """Calibrated probabilities of each instance before they are pooled: as if it were all of the
    case, but for what it knows of its neighbours; None where a model cannot be asked about one."""

    @property
    def case_instances(self) -> int:
        """How many instances the case has."""
        return self.of or len(self.weights)

    def of_image(self, number: int) -> "Evidence":
        """The instances of one image; the weights are not rescaled."""
        here = self.image == number
        columns = {name: column[here] for name, column in _columns(self).items()}
        maps = {name: each[here] for name, each in self.maps.items()}
        return Evidence(**columns, maps=maps, of=self.case_instances)


COLUMNS = tuple(f.name for f in fields(Evidence) if f.name not in {"maps", "of"})
"""What a file holds; `plane` only where an instance lies on another slice than the first, `alone`
only where it is known."""
GRAD_CAM, ATTENTION = "grad-cam", "attention"
"""Names of maps: what speaks for the class, and what was attended to."""
MAP = "map/"
"""Before the names of maps in a file."""


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Store as safetensors, whole or not at all."""
    from safetensors.numpy import save

    columns = _columns(evidence)
    columns |= {f"{MAP}{name}": each for name, each in evidence.maps.items()}
    write_bytes(path, save({name: np.ascontiguousarray(c) for name, c in columns.items()}))


def _columns(evidence: Evidence) -> dict[str, np.ndarray]:
    columns = {name: getattr(evidence, name) for name in COLUMNS}
    if evidence.plane is None or not evidence.plane.any():
        del columns["plane"]
    return {name: column for name, column in columns.items() if column is not None}


def read_evidence(path: Path) -> Evidence:
    """Read what `write_evidence` stored.

    Raises:
        RunError: the file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        stored = load_file(path)
        maps = {k.removeprefix(MAP): stored.pop(k) for k in list(stored) if k.startswith(MAP)}
        columns: dict[str, Any] = {**stored, "maps": maps}
        return Evidence(**columns)
    except (OSError, SafetensorError, TypeError) as error:
        raise RunError(f"{path} is missing or damaged; run again to write it anew") from error
