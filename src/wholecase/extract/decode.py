"""From a cohort to decoded pixels, for models that learn from them: no encoder comes between."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from wholecase.cohort import Cohort
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.progress import progress
from wholecase.execution import Place, parallel_map
from wholecase.extract.extraction import Extraction
from wholecase.extract.failures import Trouble, failures_of, stage_of
from wholecase.extract.jobs import Reference, files_of, fingerprints, reference
from wholecase.extract.pack_job import Packed, PackJob, Wanted, pack_images
from wholecase.features import Imposed, PixelStore, UnwritableError, chunks, pixel_key
from wholecase.instances import Cut, Whole, cut_for
from wholecase.sources import pixels_of, split_index

IDENTITY = "pixels"
"""What stands in the place of an encoder's identity, behind the kind where that is not RGB."""
PACK_IMAGES, SOLE_IMAGES = 64, 4096
"""Images in a pack: few where each is cut into many instances, many where each is one."""


@dataclass
class Tally:
    """What was done, counted as it is done."""

    troubles: dict[str, Trouble] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)
    images: int = 0
    instances: int = 0

    def count(self, packed: Packed) -> None:
        """Take note of a pack."""
        self.troubles |= packed.troubles
        self.skipped |= packed.skipped
        self.seconds.update(packed.seconds)
        self.images += packed.images
        self.instances += packed.instances


def decode(
    cohort: Cohort,
    cut: Cut,
    root: Path,
    place: Place,
    *,
    tolerated: float = 0.02,
    kind: PixelKind | None = None,
) -> Extraction:
    """Every image's pixels in the store; what is there already is not decoded again.

    Args:
        cohort: whose images, the ignored cases' excepted.
        cut: how slides are cut; kinds that are cut already are taken whole (`cut_for`).
        root: of the stores.
        place: the processes; 0 workers keep everything in this one.
        tolerated: share of an image's instances that may be undecodable.
        kind: of pixels that all images are to be of, one of another kind is refused; None is that
            of the first.

    One bad image costs one image: it is among the failures. Stopped at any moment and called again,
    it goes on with the packs that are missing.

    Raises:
        StoreError: the store was tampered with, its disk is full or may not be written.
    """
    started = time.perf_counter()
    images = list(dict.fromkeys(reference(i) for case in cohort.cases for i in case.images))
    digests, unread = fingerprints(_files(images), place.workers)
    troubles = {i: _unread(i, unread) for i in images if unread.keys() & set(_files([i]))}
    first = pixels_of(images[0].kind, images[0].path) if images else RGB
    kind = kind or first
    store = PixelStore(root, {"cut": cut.settings, "values": IDENTITY}, kind)
    places = _places((i for i in images if i not in troubles), digests)
    tally = _done(list(_jobs(places, store, cut, tolerated)), place.workers)
    store.refresh()
    troubles |= {i: tally.troubles[key] for i, key in places.items() if key in tally.troubles}
    kept = {i: key for i, key in places.items() if i not in troubles}
    return Extraction(
        identity=IDENTITY if store.kind == RGB else f"{store.kind.name} {IDENTITY}",
        width=store.kind.channels,
        kind=store.kind,
        bags={i: (store, key) for i, key in kept.items()},
        failures=failures_of(cohort, troubles),
        digests={i.path: store.content(key) for i, key in kept.items()},
        seconds={**tally.seconds, "total": time.perf_counter() - started},
        encoded=tally.images,
        reused=len(set(kept.values())) - tally.images,
        tiles=tally.instances,
        skipped={i: tally.skipped[key] for i, key in kept.items() if key in tally.skipped},
        workers=place.workers,
    )


def _files(images: Iterable[Reference]) -> Iterable[Path]:
    """The files behind the images; one file may hold 300,000 of them."""
    return dict.fromkeys(
        indexed[0] if (indexed := split_index(path)) else path
        for path in chain.from_iterable(map(files_of, images))
    )


def _unread(image: Reference, unread: Mapping[Path, str]) -> Trouble:
    if image.outline is not None and image.outline in unread:
        return "tissue", unread[image.outline]
    indexed = split_index(image.path)
    return "open", unread[indexed[0] if indexed else image.path]


def _places(images: Iterable[Reference], digests: Mapping[Path, str]) -> dict[Reference, str]:
    """The key of every image; equal contents share one."""
    places = {}
    for image in images:
        indexed = split_index(image.path)
        content = f"{digests[indexed[0]]}-{indexed[1]}" if indexed else digests[image.path]
        outline = None if image.outline is None else digests[image.outline]
        imposed = Imposed(image.kind, image.mpp, outline, image.window)
        places[image] = pixel_key(content, imposed)
    return places


def _jobs(
    places: Mapping[Reference, str], store: PixelStore, cut: Cut, tolerated: float
) -> Iterator[PackJob]:
    """What is missing, each content once; pictures that are one instance share larger packs."""
    first: dict[str, Reference] = {}
    for image, key in places.items():
        if not store.has(key):
            first.setdefault(key, image)
    wanted = [Wanted(key, i, cut_for(i.kind, cut, i.mpp)) for key, i in first.items()]
    sole = [one for one in wanted if isinstance(one.cut, Whole)]
    many = [one for one in wanted if not isinstance(one.cut, Whole)]
    for part in (*chunks(sole, SOLE_IMAGES), *chunks(many, PACK_IMAGES)):
        yield PackJob(store, part, tolerated)


def _done(jobs: Sequence[PackJob], workers: int) -> Tally:
    tally = Tally()
    with progress("decoding", sum(len(job.images) for job in jobs)) as advance:
        for done in parallel_map(pack_images, jobs, workers=min(workers, len(jobs))):
            if isinstance(done.error, UnwritableError):
                raise done.error
            # a worker that died, and the one after it, take their pack with them
            lost = dict.fromkeys(done.item.keys, (stage_of(done.error), str(done.error)))
            tally.count(done.result or Packed(troubles=lost))
            advance(len(done.item.images))
    return tally
