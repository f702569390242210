"""Feature files looked into and converted, each costing at most itself."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wholecase.core.errors import WholecaseError
from wholecase.core.progress import progress
from wholecase.execution import parallel_map
from wholecase.extract.failures import Trouble, stage_of
from wholecase.extract.jobs import Reference
from wholecase.features import FeatureOrigin, Store, UnwritableError, glance_foreign, read_foreign


@dataclass(frozen=True)
class Import:
    """One feature file and where its bag goes."""

    image: Reference
    store: Store
    key: str


@dataclass
class Converted:
    """What was converted, counted as it is."""

    files: int = 0
    tiles: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """By key."""


def glance_all(
    images: Iterable[Reference], workers: int
) -> tuple[dict[Reference, FeatureOrigin], dict[Reference, Trouble]]:
    """What every file says of its making, and for those that cannot be read why not."""
    known = list(images)
    outcomes = parallel_map(_glance, known, workers=min(workers, len(known)))
    found = {outcome.item: outcome for outcome in outcomes}
    origins = {i: o for i in known if (o := found[i].result) is not None}
    troubles = {i: ("open", _reason(i.path, found[i].error)) for i in known if i not in origins}
    return origins, troubles


def convert(jobs: list[Import], workers: int) -> Converted:
    """Put every file's bag into its store.

    Raises:
        UnwritableError: the store's disk is full or may not be written.
    """
    done = Converted()
    with progress("importing", len(jobs), "files") as advance:
        for outcome in parallel_map(_import, jobs, workers=min(workers, len(jobs))):
            if isinstance(outcome.error, UnwritableError):
                raise outcome.error
            if outcome.result is None:
                path = outcome.item.image.path
                reason = _reason(path, outcome.error)
                done.troubles[outcome.item.key] = stage_of(outcome.error), reason
            else:
                tiles, seconds = outcome.result
                done.files, done.tiles = done.files + 1, done.tiles + tiles
                done.seconds.update(seconds)
            advance()
    return done


def _glance(image: Reference) -> FeatureOrigin:
    return glance_foreign(image.path, image.mpp)


def _import(job: Import) -> tuple[int, dict[str, float]]:
    """How many tiles the file's bag holds, and what took how long."""
    started = time.perf_counter()
    bag = read_foreign(job.image.path, job.image.mpp).bag
    read = time.perf_counter()
    job.store.write(job.key, bag)
    return len(bag), {"read": read - started, "write": time.perf_counter() - read}


def _reason(path: Path, error: WholecaseError | None) -> str:
    sentence = str(error)
    return sentence if str(path) in sentence else f"{path}: {sentence}"
