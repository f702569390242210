"""What became of one image's bag."""

from dataclasses import dataclass, field
from typing import Literal

from wholecase.extract.jobs import Job


@dataclass(frozen=True)
class StoredBag:
    """What a worker tells of an image that did not fail."""

    fate: Literal["made", "found", "busy"]
    """StoredBag now; found, since another process was faster; or another process is at it."""
    tiles: int = 0
    skipped: int = 0
    """Instances that could not be decoded."""
    seconds: dict[str, float] = field(default_factory=dict)
    repeated: int = 0
    """Instances of the same pixels as another of their image, whose vector they took."""


def found(job: Job) -> StoredBag | None:
    """The image's bag where it is in the store, whole, and with no more gaps than tolerated."""
    glance = job.store.peek(job.key)
    if glance is None:
        return None
    skipped = int(glance.facts.get("skipped", 0))
    if skipped > job.tolerated * (glance.instances + skipped):
        return None
    return StoredBag("found", glance.instances, skipped)
