"""An encoder's network in eight bits, its ranges set on a cohort's own instances."""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.cohort import Cohort
from wholecase.core.errors import RecipeError
from wholecase.core.files import atomic, write_json
from wholecase.encoders import Encoder, EncoderSpec
from wholecase.execution import freed_memory_kept
from wholecase.extract.fidelity import FEW, LEAST_COSINE, Fidelity, fidelity, sample, vectors
from wholecase.extract.jobs import files_of, fingerprints, jobs_of, reference
from wholecase.extract.plan import Plan

SEEN, CHOOSING, TOLD = 64, 32, 32
"""Instances that set the ranges; that say how many layers are spared; that tell what it costs."""
SPARED = (0, 3, 5, 8, 12, 20)
"""Layers that keep their precision, until the rest is close enough."""
MARGIN = 0.002
"""By which the choice passes the limit: other instances shall pass it, too."""

Pictures = Sequence[UInt8[np.ndarray, "n H W 3"]]


@dataclass(frozen=True)
class Quantised:
    """A file in eight bits, and what it costs."""

    path: Path
    bytes: int
    spared: int
    """Layers that kept their precision."""
    fidelity: Fidelity
    """On instances that neither set the ranges nor chose."""
    faster: float
    """Pictures per CPU second by those of the exact network, on the same instances."""


def quantise(cohort: Cohort, plan: Plan, path: Path) -> Quantised:
    """Write the network of a plan's encoder in eight bits, as few as needed of its layers spared.

    Args:
        cohort: on whose instances the ranges are set; its labels are not looked at.
        plan: how its images are cut, and the encoder.
        path: the `.onnx` file, written whole or not at all.

    Raises:
        RecipeError: the encoder is not one network; too few instances can be read; or eight bits
            turn its vectors too far whatever is spared.
        WeightsError: its weights.
    """
    encoder = plan.encoder.exact().build()
    if encoder.graph is None or encoder.side_px is None:
        raise RecipeError(
            f"the encoder {plan.encoder.name} is not one network that could be written in eight "
            "bits; name resnet50, a network of timm or one of the field, each of a pair by itself"
        )
    seen, choosing, told = _shares(_sampled(cohort, plan, encoder))
    path.with_suffix(".json").unlink(missing_ok=True)  # it would speak of an earlier file
    with freed_memory_kept(), atomic(path) as neighbour:
        spared = write_eight_bits(neighbour, encoder, seen, choosing)
        small = EncoderSpec("onnx", {"weights": str(neighbour)}).build()
        exact, before = _timed(encoder, told)
        found, after = _timed(small, told)
        cost = fidelity(small.identity, told, found, exact)
    _write_sidecar(path, encoder, cost)
    return Quantised(path, path.stat().st_size, spared, cost, before / after)


def write_eight_bits(path: Path, encoder: Encoder, seen: Pictures, choosing: Pictures) -> int:
    """Write an exact encoder's network in eight bits; how many layers had to be spared.

    Raises:
        RecipeError: its vectors of the choosing pictures are turned too far whatever is spared.
    """
    from wholecase.encoders.eight_bits import in_eight_bits
    from wholecase.encoders.graph_files import sign
    from wholecase.encoders.network import resized

    assert encoder.graph is not None and encoder.side_px is not None  # noqa: S101, PT018
    name = f"{encoder.identity.partition('@')[0]}+int8"
    exact, best = vectors(encoder, choosing), 0.0
    prepared = np.concatenate([resized(pixels, encoder.side_px) for pixels in seen])
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.onnx"
        encoder.graph(full)
        for spared in SPARED:
            in_eight_bits(full, path, prepared, spared)
            sign(path, name, {"made_of": encoder.identity, "spared": spared})
            small = EncoderSpec("onnx", {"weights": str(path)}).build()
            found = fidelity(small.identity, choosing, vectors(small, choosing), exact).cosine
            if found >= LEAST_COSINE + MARGIN:
                return spared
            best = max(best, found)
    raise RecipeError(
        f"{encoder.identity} loses too much in eight bits on these images (cosine {best:.4f} with "
        f"up to {SPARED[-1]} layers spared, {LEAST_COSINE + MARGIN} is asked); use "
        "encoder.engine=bf16 or onnx"
    )


def _write_sidecar(path: Path, encoder: Encoder, cost: Fidelity) -> None:
    """What the file is, for who finds it; the file itself needs it not."""
    told = {
        "library": "onnx",
        "name": cost.identity.partition("@")[0],
        "width": encoder.width,
        "size_px": encoder.side_px,
        "source": f"{encoder.identity} in eight bits",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "fidelity": asdict(cost),
    }
    write_json(path.with_suffix(".json"), told)


def _sampled(cohort: Cohort, plan: Plan, encoder: Encoder) -> Pictures:
    images = dict.fromkeys(reference(i) for case in cohort.cases for i in case.images)
    digests, unread = fingerprints(chain.from_iterable(map(files_of, images)), 1)
    whole = [i for i in images if not unread.keys() & set(files_of(i))]
    with tempfile.TemporaryDirectory() as nothing:  # jobs say where bags would go; none is made
        jobs = jobs_of(whole, replace(plan, store=Path(nothing)), encoder, digests)
        return list(sample(list(jobs.values()), SEEN + CHOOSING + TOLD))


def _shares(pictures: Pictures) -> tuple[Pictures, Pictures, Pictures]:
    """Whole images for each, as far as they go: tiles of one slide are alike.

    Raises:
        RecipeError: there are too few.
    """
    count = sum(len(pixels) for pixels in pictures)
    shares: tuple[list[np.ndarray], ...] = ([], [], [])
    for pixels in pictures:
        # where least of what is due is there yet
        due = (count * part / (SEEN + CHOOSING + TOLD) for part in (SEEN, CHOOSING, TOLD))
        lacks = [want - sum(map(len, share)) for want, share in zip(due, shares, strict=True)]
        shares[int(np.argmax(lacks))].append(pixels)
    if min(sum(map(len, share)) for share in shares) < FEW:
        raise RecipeError(
            f"{count} instances of {len(pictures)} images are too few to set ranges and to tell "
            f"what they cost; give {3 * FEW} or more of three images or more"
        )
    seen, choosing, told = shares
    return seen, choosing, told


def _timed(encoder: Encoder, pictures: Pictures) -> tuple[Float32[np.ndarray, "N D"], float]:
    """Vectors, and CPU seconds of making them once memory is there."""
    encoder.encode(pictures[0])
    begun = time.process_time()
    return vectors(encoder, pictures), time.process_time() - begun
