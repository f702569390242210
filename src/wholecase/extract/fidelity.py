"""How an engine's vectors lie to those that are computed exactly, before anything is encoded."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB
from wholecase.core.outlet import message
from wholecase.encoders import Encoder, EncoderSpec
from wholecase.execution import Place, freed_memory_kept, parallel_map
from wholecase.extract.deliver import Opened, Pixels, deliver
from wholecase.extract.introduced import encodes_here
from wholecase.extract.jobs import Job
from wholecase.extract.stages import StageError

SAMPLE, PER_IMAGE = 64, 8
"""Instances that are compared, and of one image at most."""
FEW = 16
"""Instances below which nobody is stopped: single ones lie at 0.98 where the median is 0.994."""
LEAST_COSINE = 0.99
"""Of an instance in the middle. Products of sixteen bits gave 0.994 and more on real pictures and
left each AUROC where it was; eight bits at 0.963 moved one by 0.02 (docs/performance.md)."""


@dataclass(frozen=True)
class Fidelity:
    """Of one network, over a sample of a cohort's instances."""

    identity: str
    """The encoder's, engine included."""
    instances: int
    images: int
    difference: float
    """Length of the difference by that of the exact vector: the median instance's."""
    largest: float
    """The same of the worst."""
    cosine: float
    """Between both vectors: the median instance's."""
    least: float
    """The same of the worst."""

    @property
    def told(self) -> str:
        """In a line."""
        return (
            f"{self.identity}: features of {_count(self.instances, 'instance')} of "
            f"{_count(self.images, 'image')} differ from exact ones by {self.difference:.2g} of "
            f"their length (median; at most {self.largest:.2g}), cosine {self.cosine:.6f} (median; "
            f"least {self.least:.6f})"
        )


def held_to_exact(jobs: Sequence[Job], spec: EncoderSpec, place: Place) -> tuple[Fidelity, ...]:
    """Compare an encoder with exact networks on instances of the jobs, once for a cohort; tell it.

    What was found is kept in the stores of the jobs, and read there when the same images come
    again. An exact encoder has nothing to compare, nor has one whose images cannot be read.

    Raises:
        RecipeError: a network's vectors lie too far from the exact ones, or cannot be computed so.
        WeightsError: its weights are missing.
        UnwritableError: the store's disk is full or may not be written.
    """
    if spec.is_exact or not jobs:
        return ()
    stores = {job.store.digest: job.store for job in jobs}.values()
    sample = digest(keys=sorted((job.store.digest, job.key) for job in jobs))
    known = [store.fidelity() for store in stores]
    if all(one == known[0] and one.get("sample") == sample for one in known):
        found = tuple(Fidelity(**one) for one in known[0]["networks"])
    else:
        found = _asked(jobs, spec, place)
        for store in stores:
            store.write_fidelity({"sample": sample, "networks": [asdict(one) for one in found]})
    for one in found:
        message(f"note: {one.told}")
        _refuse_far(one)
    return found


def _asked(jobs: Sequence[Job], spec: EncoderSpec, place: Place) -> tuple[Fidelity, ...]:
    """Where workers encode, one of them compares: two networks would stay in this process."""
    compare = partial(_measured, spec=spec, device=place.device)
    workers = 0 if encodes_here(place, central=None) else 1
    (outcome,) = parallel_map(compare, [jobs], workers=workers)
    if outcome.error is not None:
        raise outcome.error
    return outcome.result or ()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _refuse_far(one: Fidelity) -> None:
    if one.instances >= FEW and not one.cosine >= LEAST_COSINE:
        raise RecipeError(
            f"{one.identity} turns the features of these images too far from the exact ones "
            f"(cosine {one.cosine:.4f} in the middle, at least {LEAST_COSINE} is asked); use "
            "encoder.engine=exact"
        )


def _measured(jobs: Sequence[Job], spec: EncoderSpec, device: str) -> tuple[Fidelity, ...]:
    pictures = list(sample(jobs, SAMPLE))
    if not pictures:
        return ()
    encoder, exact = spec.build(device), spec.exact().build(device)
    both = zip(encoder.members or (encoder,), exact.members or (exact,), strict=True)
    with freed_memory_kept():
        return tuple(
            fidelity(one.identity, pictures, vectors(one, pictures), vectors(true, pictures))
            for one, true in both
            if one.identity != true.identity
        )


def sample(jobs: Sequence[Job], left: int) -> Iterator[UInt8[np.ndarray, "n H W 3"]]:
    """So many instances of images from all over the cohort; what cannot be read is passed over."""
    # drawn, and for equal cohorts the same: images often lie in a pattern, such as the classes
    for index in np.random.default_rng(0).permutation(len(jobs)):
        if left <= 0:
            return
        pixels = _first(jobs[index])
        if pixels is not None:
            chosen = np.unique(np.linspace(0, len(pixels) - 1, min(PER_IMAGE, left)).astype(int))
            left -= len(chosen)
            yield pixels[chosen]


def _first(job: Job) -> UInt8[np.ndarray, "n H W 3"] | None:
    """The first instances that an image gives, or None where it gives none in colour."""
    try:
        for told in deliver(job):
            if isinstance(told, Opened) and told.kind != RGB:
                return None
            if isinstance(told, Pixels):
                return told.pixels
    except StageError:  # told when it is encoded
        return None
    return None


def vectors(
    encoder: Encoder, pictures: Sequence[UInt8[np.ndarray, "n H W 3"]]
) -> Float32[np.ndarray, "N D"]:
    """Those of all pictures, in their order."""
    return np.concatenate([encoder.encode(pixels) for pixels in pictures])


def fidelity(
    identity: str,
    pictures: Sequence[np.ndarray],
    values: Float32[np.ndarray, "N D"],
    exact: Float32[np.ndarray, "N D"],
) -> Fidelity:
    """How the vectors of these pictures, in their order, lie to the exact ones."""
    found, true = values.astype(np.float64), exact.astype(np.float64)
    length = np.maximum(np.linalg.norm(true, axis=1), np.finfo(np.float64).tiny)
    own = np.maximum(np.linalg.norm(found, axis=1), np.finfo(np.float64).tiny)
    off = np.linalg.norm(found - true, axis=1) / length
    cosine = (found * true).sum(1) / length / own
    return Fidelity(
        identity=identity,
        instances=len(true),
        images=len(pictures),
        difference=float(np.median(off)),
        largest=float(off.max()),
        cosine=float(np.median(cosine)),
        least=float(cosine.min()),
    )
