"""The numbers of a feature file: whether they are tiles of a slide, and what they show."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from wholecase.core.errors import SourceError
from wholecase.features.origin import FeatureOrigin

MOST_BYTES = 2**34
"""A million tiles of 4096 numbers."""
MOST_COPIES = 0.5
"""Share of rows that may be one row over and over, as glass is, without a word."""
SAME = 1e-6
"""Numbers that differ by this share are one, rounded."""
COMPARED = 64
"""Rows that are looked at before all are."""


@dataclass(frozen=True)
class Numbers:
    """What the numbers of a file show, as `facts` of its bag."""

    digest: str
    """Of the numbers, whatever file, order, padding and precision they come in."""
    negative: bool
    length: float
    """Of a row, the median."""
    copies: int
    """Rows that equal the commonest one; 1 where no two are equal."""
    zero: int
    """Rows of zeros, which are no tiles and were left out."""
    flat: int
    """Rows that hold one number over and over, as a picture of one value does."""
    tiles: int
    """Rows that were kept."""

    def remarks(self) -> Iterator[tuple[str, str]]:
        """What is notable of a file that is read all the same: the sort, and the figures."""
        if self.zero:
            left = f"{self.zero} of {self.zero + self.tiles} tiles, which are left out"
            yield "rows of zeros in feature files", left
        if self.flat:
            flat = f"{self.flat} of {self.tiles} tiles hold one number over and over"
            yield "tiles of one number in feature files", flat
        if self.tiles == 1:
            yield "feature files of one tile", "one vector with one place"
        elif self.copies > MOST_COPIES * self.tiles:
            copies = f"{self.copies} of {self.tiles} tiles hold the same numbers"
            yield "repeated rows in feature files", copies

    def added_to(self, origin: FeatureOrigin) -> FeatureOrigin:
        """What the file says of its making, and what its numbers show."""
        return replace(origin, negative=self.negative, length=self.length)

    def facts(self) -> dict[str, str]:
        """For the bag's file."""
        facts = {"numbers": self.digest, "negative": str(int(self.negative))}
        facts |= {"length": f"{self.length:.6g}", "copies": str(self.copies)}
        facts |= {"zero": str(self.zero), "flat": str(self.flat)}
        return facts | {"tiles": str(self.tiles)}

    @staticmethod
    def of_facts(facts: dict[str, str]) -> "Numbers":
        """As `facts` gave them."""
        negative, length = bool(int(facts["negative"])), float(facts["length"])
        counted = {name: int(facts[name]) for name in ("copies", "zero", "flat", "tiles")}
        return Numbers(facts["numbers"], negative, length, **counted)


def width_of(shape: tuple[int, ...], path: Path) -> int:
    """Numbers per tile of features of that shape.

    Raises:
        SourceError: they are no list of tiles.
    """
    if len(shape) == 3 and shape[0] == 1:  # older TRIDENT
        shape = shape[1:]
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 0):
        raise slide_vector(path)
    if len(shape) != 2:
        found = " x ".join(str(n) for n in shape)
        raise SourceError(f"{path}: features of shape {found} are no list of tiles; extract anew")
    if shape[0] == 0:
        raise SourceError(f"{path}: holds no tiles; leave the slide out, or extract it anew")
    return int(shape[1])


def slide_vector(path: Path, of: str = "") -> SourceError:
    """What is said of a file with one vector where tiles should be."""
    by = f" of the encoder {of}" if of else ""
    return SourceError(
        f"{path}: holds one vector{by} for the whole slide, not one per tile; give the file of its "
        "tile features"
    )


def checked_type(dtype: np.dtype, shape: tuple[int, ...], path: Path) -> None:
    """Pass features that are numbers and fit into memory.

    Raises:
        SourceError: they are not, or do not.
    """
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise SourceError(f"{path}: features of type {dtype} are no numbers; extract it anew")
    if np.prod(shape, dtype=np.float64) * 4 > MOST_BYTES:
        found = " x ".join(map(str, shape))
        raise SourceError(f"{path}: features of shape {found} are too many; extract fewer tiles")


def tile_rows(values: np.ndarray, path: Path) -> Float32[np.ndarray, "N D"]:
    """Features as rows, one per tile.

    Raises:
        SourceError: they are no list of tiles, empty, or not finite.
    """
    width = width_of(values.shape, path)
    checked_type(values.dtype, values.shape, path)
    with np.errstate(over="ignore"):  # told below
        rows: Float32[np.ndarray, "N D"] = values.reshape(-1, width).astype(np.float32)
    if not (finite := np.isfinite(rows).all(1)).all():
        bad = int((~finite).sum())
        raise SourceError(
            f"{path}: {bad} of {len(rows)} tiles hold features that are not finite; extract it anew"
        )
    return rows


def real_rows(rows: Float32[np.ndarray, "N D"], path: Path) -> Bool[np.ndarray, " N"]:
    """Which rows are tiles: rows of zeros are padding.

    Raises:
        SourceError: none is, all hold the same numbers, or each holds but one number.
    """
    real: Bool[np.ndarray, " N"] = np.asarray(rows.any(1))
    if not real.any():
        raise SourceError(f"{path}: all {len(rows)} tiles hold zeros only; extract it anew")
    if len(rows) > 1 and real.sum() == 1:
        raise slide_vector(path)
    if len(rows) > 1 and _all_equal(rows[real]):
        raise SourceError(
            f"{path}: all {real.sum()} tiles hold the same numbers, so that nothing can be told "
            "from them; extract it anew"
        )
    if _flat(rows[real]).all():
        raise SourceError(
            f"{path}: all {real.sum()} tiles hold one number over and over, so that nothing can be "
            "told from them; extract it anew"
        )
    return real


def numbers_of(rows: Float32[np.ndarray, "N D"], zero: int) -> Numbers:
    """What rows without padding show."""
    names = _row_digests(rows)
    running = hashlib.sha256(str(rows.shape[1]).encode())
    running.update(b"".join(sorted(names)))
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(rows, axis=1)
    return Numbers(
        digest=running.hexdigest()[:20],
        negative=bool((rows < 0).any()),
        length=float(np.median(lengths)),
        copies=Counter(names).most_common(1)[0][1],
        zero=zero,
        flat=int(_flat(rows).sum()),
        tiles=len(rows),
    )


def _row_digests(rows: Float32[np.ndarray, "N D"]) -> list[bytes]:
    """A name for each row, the same whether it was stored in single or in half precision."""
    largest = float(np.abs(rows).max())
    # within their range halves lose digits alone; zeros of both signs are one number
    halves = 1e-2 < largest < float(np.finfo(np.float16).max)
    kept = np.ascontiguousarray((rows.astype(np.float16) if halves else rows) + 0)
    return [hashlib.blake2b(row.data, digest_size=16).digest() for row in kept]


def _all_equal(rows: Float32[np.ndarray, "N D"]) -> bool:
    """Whether rows are one row over and over, but for what rounding leaves."""
    tolerance = SAME * float(np.abs(rows[0]).max())
    parts = (rows[:COMPARED], rows)
    return all(float(np.ptp(part, axis=0).max()) <= tolerance for part in parts)


def _flat(rows: Float32[np.ndarray, "N D"]) -> Bool[np.ndarray, " N"]:
    """Which rows hold one number over and over, but for what rounding leaves."""
    if rows.shape[1] == 1:
        return np.zeros(len(rows), bool)
    # rows rarely begin with two equal numbers: the rest of most is not looked at
    found: Bool[np.ndarray, " N"] = np.abs(rows[:, 1] - rows[:, 0]) <= SAME * np.abs(rows[:, 0])
    some = rows[found]
    found[found] = np.ptp(some, axis=1) <= SAME * np.abs(some[:, 0])
    return found
