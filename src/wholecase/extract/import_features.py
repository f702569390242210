"""A cohort of feature files instead of images: read once into the store, and then like any other.

The encoder has run already, elsewhere; that all files are of the same one is checked before.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from wholecase.cohort import Cohort
from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import ManifestError, StoreError
from wholecase.core.lookup import check_options
from wholecase.encoders import STORED, Encoder, stored_encoder, stored_origin
from wholecase.extract.extraction import Extraction
from wholecase.extract.failures import failures_of
from wholecase.extract.import_files import Import, convert, glance_all
from wholecase.extract.jobs import Reference, fingerprints, reference
from wholecase.extract.plan import Plan
from wholecase.features import (
    VERSION,
    FeatureOrigin,
    Numbers,
    Store,
    clam_patches,
    common_origin,
    doubt,
)

KIND = "features"
"""What the manifest calls such rows."""
NAMED = 3
"""Files that a note names."""


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
        StoreError: the files are of different encoders, widths, magnifications or tile sizes, or
            none can be read.
    """
    started = time.perf_counter()
    options = dict(plan.encoder.options)
    check_options(stored_encoder, options, f"the encoder {STORED}", given=("files",))
    images = dict.fromkeys(reference(i) for case in cohort.cases for i in case.images)
    digests, unread = fingerprints((image.path for image in images), workers)
    origins, troubles = glance_all((i for i in images if i.path in digests), workers)
    troubles |= {i: ("open", unread[i.path]) for i in images if i.path in unread}
    if not origins:
        first = next(iter(troubles.values()))[1]
        raise StoreError(f"none of {len(images)} feature files can be read; the first: {first}")
    encoder = stored_encoder(_named(origins), **options)
    jobs = _jobs(origins, plan, encoder, digests)
    distinct = {(job.store.digest, job.key): job for job in jobs.values()}
    missing = [job for job in distinct.values() if not job.store.has(job.key)]
    done = convert(missing, workers)
    failed = done.troubles
    troubles |= {i: failed[job.key] for i, job in jobs.items() if job.key in failed}
    found = Extraction(
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
        origin=stored_origin(_named(origins), **options),
    )
    return _with_numbers(found, origins)


def _with_numbers(found: Extraction, origins: Mapping[Reference, FeatureOrigin]) -> Extraction:
    """Add what the numbers showed when the files were converted."""
    assert found.origin is not None, "of feature files"  # noqa: S101
    seen = {i: Numbers.of_facts(_facts(found, i)) for i in found.bags}
    known = {i: numbers.added_to(origins[i]) for i, numbers in seen.items()}
    together = common_origin(list(known.values())) if known else found.origin
    return replace(
        found,
        digests={**found.digests, **{i.path: numbers.digest for i, numbers in seen.items()}},
        origin=replace(found.origin, negative=together.negative, length=together.length),
        notes=tuple(_notes(known, seen)),
    )


def _facts(found: Extraction, image: Reference) -> dict[str, str]:
    store, key = found.bags[image]
    return store.glance(key).facts


def _named(origins: Mapping[Reference, FeatureOrigin]) -> list[tuple[Path, FeatureOrigin]]:
    return [(image.path, origin) for image, origin in origins.items()]


def _jobs(
    images: Iterable[Reference], plan: Plan, encoder: Encoder, digests: Mapping[Path, str]
) -> dict[Reference, Import]:
    settings = {
        "kind": KIND,
        "reader": VERSION,
        "encoder": encoder.identity,
        "width": encoder.width,
    }
    store = Store(plan.store, settings)
    return {i: Import(i, store, store.key(_content(i, digests), i.mpp)) for i in images}


def _content(image: Reference, digests: Mapping[Path, str]) -> str:
    """The file's digest, and that of the patch file beside it, which tells its places."""
    own = digests[image.path]
    beside = clam_patches(image.path)
    return own if beside is None else digest(features=own, patches=file_digest(beside))


def _notes(
    known: Mapping[Reference, FeatureOrigin], seen: Mapping[Reference, Numbers]
) -> Iterator[str]:
    """What people should know of the files that were read."""
    if known and (why := doubt(_named(known))):
        yield why
    remarks: dict[str, list[str]] = {}
    for image, numbers in seen.items():
        for kind, sentence in numbers.remarks():
            remarks.setdefault(kind, []).append(f"{image.path.name} ({sentence})")
    for kind, files in remarks.items():
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        yield f"{kind}: {', '.join(files[:NAMED])}{more}"
