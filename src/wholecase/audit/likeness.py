"""Which images show the same, though their files differ: copies re-encoded, resized, turned.

A 64-bit hash of the signs of low frequencies (pHash, Zauner 2010) proposes pairs, and the
correlation of what is fine in their thumbnails confirms them. On radiographs and tiles of different
patients neither passes alone what it should not; together they have not been seen to.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32, Int64, UInt8, UInt64

MOST_BITS = 6
"""Bits by which two hashes of one picture may differ. Re-encoding changes up to 2 in 90 of 100
images, cutting off 1 % at each edge 6; pairs of different patients begin at 8."""
LEAST_CORRELATION = 0.7
"""Of the fine parts of two thumbnails. After a cut of 1 % at each edge 90 of 100 keep 0.8."""
FINE_PX = 2.0
"""What is blurred less than this is fine; all chest radiographs agree in what is coarser."""
LEAST_CONTRAST = 1.0
"""In grey levels; below it an image is empty, and all empty images look alike."""
BANDS = MOST_BITS + 1
"""Hashes that differ in `MOST_BITS` bits agree in one band at least (the pigeonhole principle)."""
PAIRS_AT_ONCE = 2**22
"""Proposed pairs that are compared together: 100 MB."""
TURNS = 8
"""A picture as it is, turned by quarters and mirrored."""


def like_pairs(smalls: UInt8[np.ndarray, "M P P"]) -> Int64[np.ndarray, "L 2"]:
    """The pairs (i, j), i < j, of thumbnails that show the same picture, turned or not; sorted.

    Of thumbnails equal to the byte, each is paired with the first of them, which stands for all.
    """
    worth = np.array([i for i, small in enumerate(smalls) if _fine(small).std() >= LEAST_CONTRAST])
    first: dict[bytes, int] = {}
    found = set()
    for i in worth.astype(np.int64).tolist():
        if (same := first.setdefault(smalls[i].tobytes(), i)) != i:
            found.add((same, i))
    distinct = np.array(list(first.values()), np.int64)
    hashes = turned_hashes(smalls[distinct])
    for turn in range(TURNS):
        for pairs in _proposed(hashes[:, turn], hashes[:, 0]):
            for i, j in distinct[pairs].tolist():
                if (min(i, j), max(i, j)) not in found and _agree(smalls[i], smalls[j], turn):
                    found.add((min(i, j), max(i, j)))
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def turned_hashes(smalls: UInt8[np.ndarray, "M P P"]) -> UInt64[np.ndarray, "M 8"]:
    """The hash of each thumbnail in its eight positions, as it is first.

    Turning changes signs and places of frequencies alone, so that one transform serves all eight.
    """
    lowest = [cv2.dct(small.astype(np.float32))[1:9, 1:9] for small in smalls]
    low = np.stack(lowest) if lowest else np.zeros((0, 8, 8), np.float32)
    return np.stack([_packed(_turned_frequencies(low, turn)) for turn in range(TURNS)], axis=1)


def _turned_frequencies(
    low: Float32[np.ndarray, "M 8 8"], turn: int
) -> Float32[np.ndarray, "M 8 8"]:
    if turn & 4:
        low = low.transpose(0, 2, 1)
    odd = np.array([-1, 1] * 4, np.float32)  # the first kept frequency is 1
    if turn & 2:
        low = low * odd[:, None]
    return low * odd if turn & 1 else low


def _packed(low: Float32[np.ndarray, "M 8 8"]) -> UInt64[np.ndarray, " M"]:
    flat = low.reshape(len(low), 64)
    bits = flat > np.median(flat, axis=1, keepdims=True) if len(flat) else flat > 0
    return np.packbits(bits, axis=1).view(np.uint64).reshape(-1)


def _proposed(
    asked: UInt64[np.ndarray, " M"], known: UInt64[np.ndarray, " M"]
) -> Iterator[Int64[np.ndarray, "L 2"]]:
    """Pairs of an asked and another known hash that differ by few bits, in parts."""
    for band in range(BANDS):
        # every seventh bit: coarse and fine frequencies in each band keep its buckets small
        mask = np.uint64(sum(1 << bit for bit in range(band, 64, BANDS)))
        order = np.argsort(known & mask, kind="stable")
        keys, wanted = (known & mask)[order], asked & mask
        left, right = np.searchsorted(keys, wanted), np.searchsorted(keys, wanted, side="right")
        for start, stop in _parts(right - left):
            many = (right - left)[start:stop]
            first = np.repeat(np.arange(start, stop), many)
            offset = np.arange(len(first)) - np.repeat(np.cumsum(many) - many, many)
            second = order[np.repeat(left[start:stop], many) + offset]
            near = np.bitwise_count(asked[first] ^ known[second]) <= MOST_BITS
            yield np.stack([first, second], axis=1)[near & (first != second)]


def _parts(sizes: Int64[np.ndarray, " M"]) -> Iterator[tuple[int, int]]:
    """Runs of items that hold at most `PAIRS_AT_ONCE` together, one item at least."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + PAIRS_AT_ONCE, side="right"))
        stop = max(stop, start + 1)
        yield start, stop
        start = stop


def _fine(small: UInt8[np.ndarray, "P P"]) -> Float32[np.ndarray, "P P"]:
    values = small.astype(np.float32)
    return values - cv2.GaussianBlur(values, (0, 0), FINE_PX)


def _agree(one: UInt8[np.ndarray, "P P"], other: UInt8[np.ndarray, "P P"], turn: int) -> bool:
    """Whether the first thumbnail, turned, has the fine parts of the second."""
    turned = one.T if turn & 4 else one
    turned = turned[:: -1 if turn & 2 else 1, :: -1 if turn & 1 else 1]
    a, b = _fine(np.ascontiguousarray(turned)).ravel(), _fine(other).ravel()
    a, b = a - a.mean(), b - b.mean()
    return bool(a @ b >= LEAST_CORRELATION * np.sqrt((a @ a) * (b @ b)))
