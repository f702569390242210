"""The work of an extraction: shared with whoever else works on the same store."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from wholecase.core.errors import RecipeError, WeightsError, WholecaseError
from wholecase.core.outlet import message
from wholecase.core.progress import progress
from wholecase.encoders import Encoder, EncoderSpec
from wholecase.execution import (
    Outcome,
    Place,
    freed_memory_kept,
    keep_freed_memory,
    parallel_map,
)
from wholecase.extract.central import encode_centrally
from wholecase.extract.encode import encode_image
from wholecase.extract.failures import Trouble, stage_of
from wholecase.extract.introduced import encodes_here
from wholecase.extract.jobs import Job
from wholecase.extract.plan import Plan
from wholecase.extract.stages import StageError
from wholecase.extract.stored_bag import StoredBag
from wholecase.features import UnwritableError

Content = tuple[str, str]
"""Digest of the store and key in it."""
LOOK_S = 0.5
"""How often it is asked whether another process has finished."""
PATIENCE_S = 1.0
"""After so long it is said for whom we wait."""


@dataclass
class Work:
    """What was done, counted as it is done."""

    made: dict[Content, StoredBag] = field(default_factory=dict)
    troubles: dict[Content, Trouble] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome[Job, StoredBag]) -> bool:
        """Take note of an outcome; whether the image is settled.

        Raises:
            UnwritableError: nothing can be stored any more.
        """
        if isinstance(outcome.error, UnwritableError):
            raise outcome.error
        made = outcome.result
        if made is None or outcome.error is not None:
            self.troubles[content(outcome.item)] = _trouble(outcome.item, outcome.error)
            return True
        if made.fate == "busy":
            return False
        self.made[content(outcome.item)] = made
        self.seconds.update(made.seconds)
        return True


def encode_missing(
    jobs: Sequence[Job], plan: Plan, encoder: Encoder, place: Place, *, central: bool | None
) -> Work:
    """Encode what is missing; images that another process has in hand are waited for at the end.

    Raises:
        UnwritableError: the store's disk is full or may not be written.
    """
    work = Work()
    # networks ask for the same blocks for every batch
    with progress("encoding", len(jobs)) as advance, freed_memory_kept():
        pending = list(jobs)
        while pending:
            others = []
            for outcome in _outcomes(pending, plan, encoder, place, central=central):
                if work.count(outcome):
                    advance()
                else:
                    others.append(outcome.item)
            _wait(others)
            pending = others
    return work


def content(job: Job) -> Content:
    """What the job makes, whichever file it makes it from."""
    return job.store.digest, job.key


def _outcomes(
    jobs: list[Job], plan: Plan, encoder: Encoder, place: Place, *, central: bool | None
) -> Iterator[Outcome[Job, StoredBag]]:
    here = encodes_here(place, central=central)
    if here and place.workers:
        return encode_centrally(jobs, encoder, min(place.workers, len(jobs)))
    # in this process the encoder that was built already serves; it cannot travel
    setup = partial(_itself, encoder) if here else partial(_in_worker, plan.encoder, place.device)
    return parallel_map(encode_image, jobs, workers=0 if here else place.workers, setup=setup)


def _wait(jobs: Sequence[Job]) -> None:
    """Until no other process has one of them in hand: each is then there, or to be done here."""
    begun, said = time.monotonic(), False
    for job in jobs:
        while job.store.is_claimed(job.key):
            if not said and time.monotonic() - begun >= PATIENCE_S:
                message(f"waiting for {job.image.path}, held by {job.store.claimant(job.key)}")
                said = True
            time.sleep(LOOK_S)


def _itself(encoder: Encoder) -> Encoder:
    return encoder


def _in_worker(spec: EncoderSpec, device: str) -> Encoder:
    keep_freed_memory()
    return spec.build(device)


def _trouble(job: Job, error: WholecaseError | None) -> Trouble:
    if isinstance(error, StageError):
        return error.stage, error.reason
    # a worker that could not begin had no encoder
    stage = "encode" if isinstance(error, RecipeError | WeightsError) else stage_of(error)
    return stage, f"{job.image.path}: {error}"
