"""A cohort of feature files instead of images: read once into the store, and then like any other.

The encoder has run already, elsewhere; that all files are of the same one is checked before.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from wholecase.cohort import Cohort
from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import ManifestError, SourceError, StoreError, WholecaseError
from wholecase.core.lookup import check_options
from wholecase.core.progress import progress
from wholecase.encoders import STORED, Encoder, StoredHead, stored_encoder
from wholecase.execution import each
from wholecase.extract.extraction import Extraction
from wholecase.extract.failures import Trouble, failures_of, stage_of
from wholecase.extract.import_file import head_of, read_features
from wholecase.extract.jobs import Reference, fingerprints, reference
from wholecase.extract.plan import Plan
from wholecase.features import VERSION, Store, UnwritableError, clam_patches

KIND = "features"
"""What the manifest calls such rows."""
OPENED = 8
"""Files that are looked into at a time: it waits for the disk."""


@dataclass(frozen=True)
class Import:
    """One feature file and where its bag goes."""

    image: Reference
    store: Store
    key: str


def is_import(cohort: Cohort, plan: Plan) -> bool:
    """Whether the cohort is one of feature files.

    Raises:
        ManifestError: a row and the encoder do not go together.
    """
    for case in cohort.cases:
        for image in case.images:
            if (image.kind == KIND) == (plan.encoder.name == STORED):
                continue
            where = f"{cohort.path}, line {image.line}: {image.path.name}"
            if image.kind == KIND:
                raise ManifestError(
                    f"{where} holds features, which {plan.encoder.name} cannot encode; set "
                    f"encoder={STORED}"
                )
            raise ManifestError(
                f"{where} is of kind {image.kind}, and encoder={STORED} reads features only; name "
                "the encoder, or keep images and feature files in separate cohorts"
            )
    return plan.encoder.name == STORED


def import_features(cohort: Cohort, plan: Plan, *, workers: int) -> Extraction:
    """The bags of a cohort of feature files, converted once; one bad file costs that file.

    Raises:
        RecipeError: `encoder` has an unknown option.
        StoreError: the files are of different encoders or widths, or none can be read.
    """
    started = time.perf_counter()
    options = dict(plan.encoder.options)
    check_options(stored_encoder, options, f"the encoder {STORED}", given=("heads",))
    images = dict.fromkeys(reference(i) for case in cohort.cases for i in case.images)
    digests, unread = fingerprints((image.path for image in images), workers)
    heads, troubles = _heads(i for i in images if i.path in digests)
    troubles |= {i: ("open", unread[i.path]) for i in images if i.path in unread}
    if not heads:
        first = next(iter(troubles.values()))[1]
        raise StoreError(f"none of {len(images)} feature files can be read; the first: {first}")
    encoder = stored_encoder(list(heads.values()), **options)
    jobs = _jobs(heads, plan, encoder, digests)
    distinct = {(job.store.digest, job.key): job for job in jobs.values()}
    missing = [job for job in distinct.values() if not job.store.has(job.key)]
    done = _convert(missing, workers)
    failed = done.troubles
    troubles |= {i: failed[job.key] for i, job in jobs.items() if job.key in failed}
    return Extraction(
        identity=encoder.identity,
        width=encoder.width,
        bags={i: (jobs[i].store, jobs[i].key) for i in images if i not in troubles},
        failures=failures_of(cohort, troubles),
        digests=digests,
        seconds={**done.seconds, "total": time.perf_counter() - started},
        encoded=done.files,
        reused=len(distinct) - len(missing),
        tiles=done.tiles,
        skipped={},
        workers=workers,
    )


def _heads(
    images: Iterable[Reference],
) -> tuple[dict[Reference, StoredHead], dict[Reference, Trouble]]:
    known = list(images)
    with ThreadPoolExecutor(OPENED) as pool:
        found = dict(zip(known, pool.map(_head, known), strict=True))
    heads = {i: head for i, head in found.items() if isinstance(head, StoredHead)}
    return heads, {i: ("open", str(e)) for i, e in found.items() if not isinstance(e, StoredHead)}


def _head(image: Reference) -> StoredHead | SourceError:
    try:
        return head_of(image.path)
    except SourceError as error:
        return error


def _jobs(
    heads: Iterable[Reference], plan: Plan, encoder: Encoder, digests: Mapping[Path, str]
) -> dict[Reference, Import]:
    settings = {
        "kind": KIND,
        "reader": VERSION,
        "encoder": encoder.identity,
        "width": encoder.width,
    }
    store = Store(plan.store, settings)
    return {i: Import(i, store, store.key(_content(i, digests), i.mpp)) for i in heads}


def _content(image: Reference, digests: Mapping[Path, str]) -> str:
    """The file's digest, and that of the patch file beside it, which tells its places."""
    own = digests[image.path]
    beside = clam_patches(image.path)
    return own if beside is None else digest(features=own, patches=file_digest(beside))


@dataclass
class _Done:
    """What was converted, counted as it is."""

    files: int = 0
    tiles: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """By key."""


def _convert(jobs: list[Import], workers: int) -> _Done:
    done = _Done()
    with progress("importing", len(jobs), "files") as advance:
        for outcome in each(_import, jobs, workers=min(workers, len(jobs))):
            if isinstance(outcome.error, UnwritableError):
                raise outcome.error
            if outcome.result is None:
                reason = _reason(outcome.item, outcome.error)
                done.troubles[outcome.item.key] = stage_of(outcome.error), reason
            else:
                tiles, seconds = outcome.result
                done.files, done.tiles = done.files + 1, done.tiles + tiles
                done.seconds.update(seconds)
            advance()
    return done


def _import(job: Import) -> tuple[int, dict[str, float]]:
    """Put the file's bag into the store; how many tiles it holds, and what took how long."""
    started = time.perf_counter()
    bag = read_features(job.image.path, job.image.mpp).bag
    read = time.perf_counter()
    job.store.write(job.key, bag)
    return len(bag), {"read": read - started, "write": time.perf_counter() - read}


def _reason(job: Import, error: WholecaseError | None) -> str:
    told = str(error)
    return told if str(job.image.path) in told else f"{job.image.path}: {told}"
