"""Bags of encoders side by side, from what each of them has in the store already.

The vectors of a place are concatenated, as the encoder would; no image is opened.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Shaped

from wholecase.core.errors import StoreError
from wholecase.core.outlet import message
from wholecase.encoders import Encoder
from wholecase.extract.jobs import Job
from wholecase.extract.stored_bag import found
from wholecase.features import BESIDE, Bag, Store


def join_stored(jobs: Iterable[Job], encoder: Encoder) -> int:
    """Store the bags of which every member of the encoder has its part; returns how many.

    An image that a member lacks, or whose instances lie elsewhere in one of them, is left to be
    encoded, and so is one that another process has in hand.

    Raises:
        UnwritableError: the store's disk is full or may not be written.
    """
    if not encoder.members:
        return 0
    joined = sum(_join(job, encoder) for job in jobs)
    if joined:
        names = ", ".join(member.identity for member in encoder.members)
        message(f"note: {joined} images joined from the stored features of {names}")
    return joined


def _join(job: Job, encoder: Encoder) -> bool:
    parts = [_part(job, member) for member in encoder.members]
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts) or not _lie_alike([bag for _, bag in whole]):
        return False
    if (claim := job.store.claim(job.key)) is None:
        return False
    with claim:
        if found(job) is None:
            (store, first), *_ = whole
            values = np.concatenate([bag.values for _, bag in whole], 1)
            for ending in BESIDE:
                if (beside := store.folder / f"{job.key}{ending}").is_file():
                    job.store.write_beside(job.key, ending, beside.read_bytes())
            columns = first.box_px, first.position_um, first.scale, first.facts, first.plane
            job.store.write(job.key, Bag(values, *columns))
    return True


def _part(job: Job, member: Encoder) -> tuple[Store, Bag] | None:
    """Where one encoder's vectors of the image are, and these."""
    settings = {**job.store.settings, "encoder": member.identity, "width": member.width}
    store = Store.there(job.store.folder.parent, settings)
    if store is None or not store.has(job.key):
        return None
    try:
        return store, store.read(job.key)
    except StoreError:  # damaged further in: it is encoded anew
        return None


def _lie_alike(bags: Sequence[Bag]) -> bool:
    """Whether instance n of each is the same place."""
    first, *others = bags
    return all(
        _same(first.box_px, other.box_px)
        and _same(first.position_um, other.position_um)
        and _same(first.scale, other.scale)
        and _same(first.plane, other.plane)
        for other in others
    )


def _same(one: Shaped[np.ndarray, "..."] | None, other: Shaped[np.ndarray, "..."] | None) -> bool:
    if one is None or other is None:
        return one is other
    is_float = np.issubdtype(one.dtype, np.floating)
    return np.array_equal(one, other, equal_nan=is_float)
