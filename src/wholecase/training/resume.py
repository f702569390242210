"""Where a training stands, on disk after every epoch: one that was stopped goes on bit for bit."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

from torch import Tensor

from wholecase.models import CaseModel, load_state, load_tensors, save_tensors
from wholecase.training.optimizer import join_states, split_states
from wholecase.training.pace import Pace
from wholecase.training.watch import Watch


@dataclass(frozen=True)
class Epoch:
    """One row of the learning curve."""

    number: int
    train_loss: float
    valid_loss: float | None
    """None where no inner patients are asked."""
    valid_metric: float | None = None
    """What is watched, or AUROC; None where it is undefined."""
    factor: float = 1.0
    """On all rates."""
    valid_p_positive: float | None = None
    """Mean probability of positives, of two classes; None also in what was kept without it."""
    valid_p_negative: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    """What the head tells of how learning went: `Head.figures`."""

    @property
    def valid_separation(self) -> float | None:
        """Mean probability of positives less that of negatives; None where one is not known."""
        if self.valid_p_positive is None or self.valid_p_negative is None:
            return None
        return self.valid_p_positive - self.valid_p_negative


@dataclass(frozen=True)
class Keep:
    """Where training keeps what it needs to go on after a stop, and for which settings.

    A file of other settings is not continued: `key` says what the state belongs to.
    """

    path: Path
    key: str


def save_progress(
    keep: Keep, model: CaseModel, pace: Pace, watch: Watch, rows: list[Epoch]
) -> None:
    """Write model, best model, optimizer, schedule, early stopping and learning curve."""
    moments, scalars = split_states(pace.states())
    tensors = {f"model/{name}": t for name, t in model.state_dict().items()}
    tensors |= {f"best/{name}": t for name, t in watch.best.items()}
    tensors |= {f"optimizer/{name}": t for name, t in moments.items()}
    facts = {
        "key": keep.key,
        "epochs": [list(astuple(row)) for row in rows],
        "watch": watch.facts(),
        "pace": pace.facts(),
        "scalars": scalars,
    }
    save_tensors(keep.path, tensors, facts)


def load_progress(keep: Keep | None, model: CaseModel, pace: Pace, watch: Watch) -> list[Epoch]:
    """Go on where a training with this key stopped: its epochs; none where it begins."""
    if keep is None or not keep.path.is_file():
        return []
    tensors, facts = load_tensors(keep.path)
    if facts.get("key") != keep.key:
        return []
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    load_state(model, parts["model"], str(keep.path))
    watch.restore(facts["watch"], parts["best"])
    pace.restore(facts["pace"], join_states(parts["optimizer"], facts["scalars"]))
    return [Epoch(*row) for row in facts["epochs"]]
