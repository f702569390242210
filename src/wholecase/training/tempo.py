"""How long epochs took; of what was learnt in this process, since a clock belongs to a machine."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Tempo:
    """Epochs, and the time that they took."""

    epochs: int = 0
    seconds: float = 0.0
    """Of whole epochs: learning, judging the inner patients, and keeping the state."""
    learning: float = 0.0
    """Seconds of learning alone."""
    instances: int = 0
    """That were learnt from, each as often as it was shown."""

    def plus(self, other: "Tempo") -> "Tempo":
        """Both together."""
        return Tempo(
            self.epochs + other.epochs,
            self.seconds + other.seconds,
            self.learning + other.learning,
            self.instances + other.instances,
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def in_all(tempos: Iterable[Tempo]) -> Tempo:
    """The sum of several."""
    total = Tempo()
    for tempo in tempos:
        total = total.plus(tempo)
    return total
