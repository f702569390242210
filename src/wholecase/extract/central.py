"""Encoding in this process while workers read: one accelerator, many decoders."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from wholecase.core.errors import WholecaseError
from wholecase.encoders import Encoder
from wholecase.execution import Again, Outcome, Part, one_thread, parallel_stream
from wholecase.extract.deliver import deliver
from wholecase.extract.encode import keep_refused
from wholecase.extract.filling import Filling
from wholecase.extract.jobs import Job
from wholecase.extract.stages import StageError
from wholecase.extract.stored_bag import StoredBag, found
from wholecase.features import Lock, UnwritableError


def encode_centrally(
    jobs: Sequence[Job], encoder: Encoder, workers: int
) -> Iterator[Outcome[Job, StoredBag]]:
    """What `parallel_map(encode_image, ...)` yields, byte for byte, with decoding beside encoding.

    An image whose worker died is read once more at the end. At most a batch per worker, and a few
    more, are waiting to be encoded. The seconds tell under `wait` how long the encoder had nothing
    to do.

    Raises:
        UnwritableError: the store's disk is full or may not be written.
    """
    dispatcher = _Dispatcher(jobs, encoder)
    try:
        waiting = time.perf_counter()
        for event in parallel_stream(deliver, dispatcher.claimed(), workers=workers):
            waited = time.perf_counter() - waiting
            if isinstance(event, Part):
                dispatcher.take(event.item, event.value, waited)
            elif isinstance(event, Again):
                dispatcher.begin_anew(event.item)
            else:
                yield dispatcher.outcome(event.item, event.error)
            yield from dispatcher.settled()
            waiting = time.perf_counter()
        yield from dispatcher.settled()
    finally:
        dispatcher.clear()


class _Dispatcher:
    """The images that are being read: whose bag is how full, and whose lock is held."""

    def __init__(self, jobs: Sequence[Job], encoder: Encoder) -> None:
        self._jobs, self._encoder = jobs, encoder
        self._claims: dict[Job, Lock] = {}
        self._fillings: dict[Job, Filling] = {}
        self._ends: dict[Job, StoredBag | WholecaseError] = {}
        self._waited: dict[Job, float] = {}
        self._settled: list[Outcome[Job, StoredBag]] = []

    def claimed(self) -> Iterator[Job]:
        """The jobs that nobody else does or did; the others are settled at once."""
        for job in self._jobs:
            claim = job.store.claim(job.key)
            there = None if claim is None else found(job)
            if claim is None or there is not None:
                self._settled.append(Outcome(job, there or StoredBag("busy"), None))
                if claim is not None:
                    claim.release()
                continue
            self._claims[job], self._fillings[job] = claim, Filling(job, self._encoder)
            yield job

    def settled(self) -> Iterator[Outcome[Job, StoredBag]]:
        """Outcomes of jobs for which nothing had to be done."""
        while self._settled:
            yield self._settled.pop()

    def take(self, job: Job, message: object, waited: float) -> None:
        """Encode a part; an image that failed here is only waited for."""
        self._waited[job] = self._waited.get(job, 0.0) + waited
        if job in self._ends:
            return
        try:
            with one_thread():
                made = self._fillings[job].take(message)  # type: ignore[arg-type]
        except UnwritableError:
            raise
        except WholecaseError as error:
            self._ends[job] = error
        else:
            if made is not None:
                self._ends[job] = made

    def begin_anew(self, job: Job) -> None:
        """Forget what came of an image whose worker died."""
        self._fillings[job] = Filling(job, self._encoder)
        self._ends.pop(job, None)

    def outcome(self, job: Job, error: WholecaseError | None) -> Outcome[Job, StoredBag]:
        """The end of an image that was read; `error` where its reading failed."""
        if isinstance(error, StageError):
            keep_refused(job, error)
        self._claims.pop(job).release()
        del self._fillings[job]
        end = self._ends.pop(job, None)
        if isinstance(end, WholecaseError) or end is None:
            return Outcome(job, None, end if error is None else error)
        wait = {"wait": self._waited.pop(job)}
        return Outcome(job, replace(end, seconds=end.seconds | wait), None)

    def clear(self) -> None:
        """Let go of whatever is still held."""
        for claim in self._claims.values():
            claim.release()
