"""How a sound file is spoilt: bytes of any kind, and what files of one kind claim."""

import struct
import zlib
from collections.abc import Callable

import numpy as np

Change = Callable[[bytes, np.random.Generator], bytes]
HEAD, BLOCK = 2000, 4096
ODD_NUMBERS = (0, 1, 2, 7, 8, 255, 256, 4095, 65535, 2**24, 2**31 - 1, 2**32 - 1)
"""What a claim may become; some are sane, most are not."""


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: rng.integers(len(content))]


def flips(content: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(content, rng, 0, len(content))


def head(content: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(content, rng, 0, min(HEAD, len(content)))


def tail(content: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(content, rng, max(0, len(content) - HEAD), len(content))


def swap(content: bytes, rng: np.random.Generator) -> bytes:
    size = int(rng.integers(4, min(BLOCK, len(content) // 3) + 1))
    first, second = sorted(rng.integers(0, len(content) - size, 2).tolist())
    second = max(second, first + size)
    a, b = content[first : first + size], content[second : second + size]
    return content[:first] + b + content[first + size : second] + a + content[second + size :]


def zeros(content: bytes, rng: np.random.Generator) -> bytes:
    size = int(rng.integers(1, min(BLOCK, len(content)) + 1))
    at = int(rng.integers(0, len(content) - size + 1))
    return content[:at] + bytes(size) + content[at + size :]


def repeat(content: bytes, rng: np.random.Generator) -> bytes:
    size = int(rng.integers(1, min(BLOCK, len(content)) + 1))
    at = int(rng.integers(0, len(content) - size + 1))
    return content[: at + size] + content[at:]


ANY: dict[str, Change] = {f.__name__: f for f in (cut, flips, head, tail, swap, zeros, repeat)}


def tiff_tag(content: bytes, rng: np.random.Generator) -> bytes:
    """One field of one tag: its number, type, count or value."""
    order = "<" if content[:2] == b"II" else ">"
    entries, place = [], struct.unpack_from(order + "I", content, 4)[0]
    while place:
        count = struct.unpack_from(order + "H", content, place)[0]
        entries += [place + 2 + 12 * i for i in range(count)]
        place = struct.unpack_from(order + "I", content, place + 2 + 12 * count)[0]
    at = int(rng.choice(entries))
    number = int(rng.choice(ODD_NUMBERS))
    field, letter = ((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I"), (8, "I"))[rng.integers(6)]
    return _packed(content, at + field, order + letter, number)


def png_size(content: bytes, rng: np.random.Generator) -> bytes:
    """Width, height, depth or colour type, with a checksum that fits."""
    at, letter = ((16, ">I"), (20, ">I"), (24, ">B"), (25, ">B"))[rng.integers(4)]
    spoilt = _packed(content, at, letter, int(rng.choice([*ODD_NUMBERS, 699, 701, 459, 461])))
    return spoilt[:29] + struct.pack(">I", zlib.crc32(spoilt[12:29])) + spoilt[33:]


def jpeg_size(content: bytes, rng: np.random.Generator) -> bytes:
    """Height or width in the frame's header."""
    at = next(i for i in range(2, len(content)) if content[i : i + 2] in (b"\xff\xc0", b"\xff\xc2"))
    real = struct.unpack_from(">H", content, at + 5)[0]
    numbers = [*ODD_NUMBERS, real - 1, real + 1, real // 2, real * 2]
    return _packed(content, at + int(rng.choice([5, 7])), ">H", int(rng.choice(numbers)))


def words(content: bytes, rng: np.random.Generator) -> bytes:
    """A word of a text by another of it, twice, gone, or by an odd one."""
    text = content.decode("utf-8")
    marks = [i for i, letter in enumerate(text) if letter in ",:\n "]
    left = int(rng.integers(len(marks) - 1))
    other = int(rng.integers(len(marks) - 1))
    old = text[marks[left] + 1 : marks[left + 1]]
    choices = (text[marks[other] + 1 : marks[other + 1]], "", old + old, old[::-1], *ODD_WORDS)
    new = choices[rng.integers(len(choices))]
    return (text[: marks[left] + 1] + new + text[marks[left + 1] :]).encode("utf-8")


def lines(content: bytes, rng: np.random.Generator) -> bytes:
    """A line of a text moved, repeated, gone or cut."""
    rows = content.decode("utf-8").splitlines(keepends=True)
    at, to = (int(i) for i in rng.integers(0, len(rows), 2))
    row = rows[at]
    ways = (
        [*rows[:at], *rows[at + 1 :]],
        [*rows[:to], row, *rows[to:]],
        [*rows[:at], row[: len(row) // 2] + "\n", *rows[at + 1 :]],
        [*rows[:at], row.replace(",", ";").replace(":", " "), *rows[at + 1 :]],
    )
    return "".join(ways[rng.integers(len(ways))]).encode("utf-8")


ODD_WORDS = (
    *("-1", "0", "1e999", "nan", "1e-300", "99999999999", "0.5", "true", "null", "=1+1", "@a"),
    *(
        "1-Mar",
        "1.2E+14",
        '"',
        "'",
        "[",
        "{a: b}",
        "&x",
        "*x",
        "!!python/name:os.system",
        "\x1b[2J",
    ),
    *(
        "\u00e9",
        "e\u0301",
        "\u2011",
        "007",
        "7.0",
        "../..",
        "/dev/zero",
        "a" * 5000,
        "\ud7ff",
        "\t",
    ),
)


def _flipped(content: bytes, rng: np.random.Generator, low: int, high: int) -> bytes:
    spoilt = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(low, high, rng.integers(1, 9))
    spoilt[at] ^= (1 << rng.integers(0, 8, len(at))).astype(np.uint8)
    return spoilt.tobytes()


def _packed(content: bytes, at: int, form: str, number: int) -> bytes:
    most = 2 ** (8 * struct.calcsize(form)) - 1
    packed = struct.pack(form, number & most)
    return content[:at] + packed + content[at + len(packed) :]
