"""The verb: from a cohort to its bags."""

import time
from collections.abc import Iterable
from itertools import chain

from wholecase.cohort import Cohort
from wholecase.execution import Place
from wholecase.extract.extraction import Extraction
from wholecase.extract.failures import failures_of
from wholecase.extract.fidelity import held_to_exact
from wholecase.extract.import_features import import_features, is_import
from wholecase.extract.introduced import introduced
from wholecase.extract.jobs import Job, files_of, fingerprints, jobs_of, reference
from wholecase.extract.joining import join_stored
from wholecase.extract.plan import Plan
from wholecase.extract.stored_bag import found
from wholecase.extract.work import Content, content, encode_missing
from wholecase.features import tidy


def extract(cohort: Cohort, plan: Plan, place: Place, *, central: bool | None = None) -> Extraction:
    """Every image's bag in the store; what is there already is not made again.

    Args:
        cohort: whose images, the ignored cases' excepted.
        plan: how they are cut and encoded, and where the bags go.
        place: the encoder's device, and the processes; 0 workers keep everything in this one.
        central: whether the workers only read, and this process encodes; None: on any device but
            the CPU, for which workers would only take turns. It changes no byte.

    One bad image costs one image: it is among the failures. Stopped at any moment and called again,
    it goes on, and leaves the same bytes. Several processes may work on one store at a time: they
    share the work.

    Networks that are not computed exactly are compared with exact ones before they encode.

    Raises:
        RecipeError: the encoder's name, options or device; or its engine gives other features.
        WeightsError: the encoder's weights.
        StoreError: the store was tampered with, its disk is full or may not be written.
    """
    if is_import(cohort, plan):
        return import_features(cohort, plan, workers=place.workers)
    started = time.perf_counter()
    # also with workers: its faults are told once, before the work
    encoder = introduced(plan.encoder, place, central=central)
    images = dict.fromkeys(reference(i) for case in cohort.cases for i in case.images)
    digests, unread = fingerprints(chain.from_iterable(map(files_of, images)), place.workers)
    whole = [i for i in images if not unread.keys() & set(files_of(i))]
    jobs = jobs_of(whole, plan, encoder, digests)
    contents = _distinct(jobs.values())
    for folder in {job.store.folder for job in contents.values()}:
        tidy(folder)
    join_stored((job for job in contents.values() if found(job) is None), encoder)
    there = {c: bag for c, job in contents.items() if (bag := found(job))}
    fidelity = held_to_exact(list(contents.values()), plan.encoder, place)
    missing = [job for c, job in contents.items() if c not in there]
    work = encode_missing(missing, plan, encoder, place, central=central)
    troubles = {i: ("tissue", unread[i.outline]) for i in images if i.outline in unread}
    troubles |= {i: ("open", unread[i.path]) for i in images if i.path in unread}
    failed = work.troubles
    troubles |= {i: failed[content(job)] for i, job in jobs.items() if content(job) in failed}
    made = there | work.made
    now = [one for one in work.made.values() if one.fate == "made"]
    kept = {i: job for i, job in jobs.items() if i not in troubles}
    return Extraction(
        identity=encoder.identity,
        width=encoder.width,
        bags={i: (job.store, job.key) for i, job in kept.items()},
        failures=failures_of(cohort, troubles),
        digests=digests,
        seconds={**work.seconds, "total": time.perf_counter() - started},
        encoded=len(now),
        reused=len(made) - len(now),
        tiles=sum(one.tiles for one in now),
        repeated=sum(one.repeated for one in now),
        skipped={i: gaps for i, job in kept.items() if (gaps := made[content(job)].skipped)},
        workers=place.workers,
        fidelity=fidelity,
        pictures={i: path for i, job in jobs.items() if (path := job.store.picture(job.key))},
    )


def _distinct(jobs: Iterable[Job]) -> dict[Content, Job]:
    """The first job of each content: no bag is made twice, nor by two workers at once."""
    first: dict[Content, Job] = {}
    for job in jobs:
        first.setdefault(content(job), job)
    return first
