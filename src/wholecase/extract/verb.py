"""The verb: from a cohort to its bags."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial

from wholecase.cohort import Cohort
from wholecase.core.errors import RecipeError, WeightsError, WholecaseError
from wholecase.core.progress import progress
from wholecase.encoders import Encoder
from wholecase.execution import each
from wholecase.extract.encode import encode_image
from wholecase.extract.extraction import Extraction
from wholecase.extract.jobs import Job, Reference, fingerprints, jobs_of, reference
from wholecase.extract.plan import Failure, Plan
from wholecase.extract.stages import StageError

Content = tuple[str, str]
"""Digest of the store and key in it."""
Trouble = tuple[str, str]
"""Stage and reason."""


def extract(cohort: Cohort, plan: Plan, *, workers: int) -> Extraction:
    """Every image's bag in the store; what is there already is not made again.

    Args:
        cohort: whose images, the ignored cases' excepted.
        plan: how they are cut and encoded, and where the bags go.
        workers: processes, each of one thread; 0 works in this one, and so does any other device
            than the CPU, where workers would only take turns.

    One bad image costs one image: it is among the failures. Stopped at any moment and called again,
    it goes on, and leaves the same bytes.

    Raises:
        RecipeError: the encoder's name, options or device.
        WeightsError: the encoder's weights.
        StoreError: the store was tampered with.
    """
    started = time.perf_counter()
    encoder = plan.encoder.build()  # also with workers: its faults are told once, before the work
    images = dict.fromkeys(reference(i) for case in cohort.cases for i in case.images)
    digests, unread = fingerprints((image.path for image in images), workers)
    jobs = jobs_of((i for i in images if i.path in digests), plan, encoder, digests)
    contents = _distinct(jobs.values())
    missing = [job for job in contents.values() if not job.store.has(job.key)]
    seconds, failed = _encode(missing, plan, encoder, workers)
    troubles = {i: ("open", unread[i.path]) for i in images if i.path in unread}
    troubles |= {i: failed[_content(job)] for i, job in jobs.items() if _content(job) in failed}
    return Extraction(
        identity=encoder.identity,
        width=encoder.width,
        bags={i: (job.store, job.key) for i, job in jobs.items() if i not in troubles},
        failures=_failures(cohort, troubles),
        digests=digests,
        seconds={**seconds, "total": time.perf_counter() - started},
        encoded=len(missing) - len(failed),
        reused=len(contents) - len(missing),
    )


def _content(job: Job) -> Content:
    return job.store.digest, job.key


def _distinct(jobs: Iterable[Job]) -> dict[Content, Job]:
    """The first job of each content: no bag is made twice, nor by two workers at once."""
    first: dict[Content, Job] = {}
    for job in jobs:
        first.setdefault(_content(job), job)
    return first


def _encode(
    jobs: list[Job], plan: Plan, encoder: Encoder, workers: int
) -> tuple[dict[str, float], dict[Content, Trouble]]:
    """Seconds by kind of work, and what failed."""
    here = workers <= 0 or plan.encoder.device != "cpu"
    # in this process the encoder that was built already serves; it cannot travel
    setup = partial(_itself, encoder) if here else plan.encoder.build
    seconds: Counter[str] = Counter()
    failed = {}
    with progress("encoding", len(jobs)) as advance:
        for done in each(encode_image, jobs, workers=0 if here else workers, setup=setup):
            if done.error is not None:
                failed[_content(done.item)] = _trouble(done.item, done.error)
            seconds.update(done.result or {})
            advance()
    return dict(seconds), failed


def _itself(encoder: Encoder) -> Encoder:
    return encoder


def _trouble(job: Job, error: WholecaseError) -> Trouble:
    if isinstance(error, StageError):
        return error.stage, error.reason
    # a worker that died did so in a decoder; one that could not begin had no encoder
    stage = "encode" if isinstance(error, RecipeError | WeightsError) else "read"
    return stage, f"{job.image.path}: {error}"


def _failures(cohort: Cohort, troubles: Mapping[Reference, Trouble]) -> tuple[Failure, ...]:
    return tuple(
        Failure(case.id, case.patient, image.path, *troubles[reference(image)])
        for case in cohort.cases
        for image in case.images
        if reference(image) in troubles
    )
