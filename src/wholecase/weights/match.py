"""Whether weights belong to a network: the share of its tensors that they fill."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from wholecase.core.errors import WeightsError
from wholecase.weights.layouts import namings
from wholecase.weights.state import read_state

COUNTER = "num_batches_tracked"
"""A counter of batch normalisation: only training reads it, and many files leave it out."""


@dataclass(frozen=True)
class Match:
    """How the tensors of a file fit those of a network, by the names as they were understood."""

    matched: tuple[str, ...]
    """Of equal name and shape."""
    missing: tuple[str, ...]
    """Of the network, and not in the file."""
    unexpected: tuple[str, ...]
    """Of the file, and not in the network, such as a classifier that was cut off."""

    @property
    def share(self) -> float:
        """Part of the network's tensors that the file fills, 0 to 1."""
        return len(self.matched) / max(len(self.matched) + len(self.missing), 1)


def load_weights(model: nn.Module, file: Path, *, least: float = 0.95) -> Match:
    """Fill the network with the file's tensors, in place.

    Prefixes of wrappers and known renamings are understood; of several readings the one that fits
    most tensors counts.

    Raises:
        WeightsError: less than the share `least` of the network's tensors is in the file; the
            network is as it was.
    """
    own = model.state_dict()
    found = namings(read_state(file))
    best, match = max(((s, compare(own, s)) for s in found), key=lambda pair: pair[1].share)
    if match.share < least:
        raise WeightsError(_refusal(file, match, least))
    # `compare` leaves the counters out; where they fit they come along
    fitting = {k: v for k, v in best.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(fitting, strict=False)
    return match


def compare(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Match:
    """Which of a network's own tensors are given, by name and shape."""
    own = {k: v for k, v in own.items() if not k.endswith(COUNTER)}
    given = {k: v for k, v in given.items() if not k.endswith(COUNTER)}
    matched = [k for k, v in own.items() if k in given and given[k].shape == v.shape]
    fit = set(matched)
    return Match(
        matched=tuple(matched),
        missing=tuple(k for k in own if k not in fit),
        unexpected=tuple(k for k in given if k not in fit),
    )


def _refusal(file: Path, match: Match, least: float) -> str:
    total = len(match.matched) + len(match.missing)
    without = f", without {match.missing[0]!r}" if match.missing else ""
    instead = f", with {match.unexpected[0]!r} instead" if match.unexpected else ""
    return (
        f"{file} fills {len(match.matched)} of the network's {total} tensors ({match.share:.0%}, "
        f"needed {least:.0%}){without}{instead}; give the file of this very network, or name the "
        "network that the file belongs to"
    )
