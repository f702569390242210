"""What to do to every image, and what may become of one."""

from dataclasses import dataclass
from pathlib import Path

from wholecase.encoders import EncoderSpec
from wholecase.instances import Cut

KILLED = "killed"
"""No stage of the work: the process that had the image in hand was ended from outside, twice."""
STAGES = ("open", "spacing", "tissue", "read", "encode", KILLED)
"""Where an image may fail, in the order of the work."""


@dataclass(frozen=True)
class Plan:
    """How images become bags, and where the bags are kept."""

    cut: Cut
    """Of slides; kinds that are cut already are taken whole (`cut_for`)."""
    encoder: EncoderSpec
    store: Path
    tolerated_tiles: float = 0.02
    """Share of an image's instances that may be undecodable; they are left out and counted. One
    bad tile in fifty does not change what a slide says, a file that was cut off loses far more."""


@dataclass(frozen=True)
class Failure:
    """An image that gave no bag, once for each case that it belongs to."""

    case: str
    patient: str
    path: Path
    stage: str
    """One of `STAGES`."""
    reason: str
    """A sentence that names the file and the cure."""
