"""Names for contents: the same settings or the same bytes give the same key, everywhere."""

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

from wholecase.core.regular import why_irregular

WHOLE_UP_TO = 64 * 2**20
"""Files up to this many bytes are hashed whole."""
SAMPLES, SAMPLE_BYTES = 64, 2**20
"""Larger ones by their size and this many evenly spaced blocks, first and last included."""
BLANK = "blank-"
"""How the digest of a picture of one colour begins; such pictures are alike everywhere."""


def digest(**settings: Any) -> str:  # noqa: ANN401 (whatever JSON holds)
    """Twenty hexadecimal digits that stand for these settings.

    >>> digest(a=1, b=[2]) == digest(b=[2], a=1)
    True
    """
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def file_digest(path: Path) -> str:
    """Twenty hexadecimal digits that stand for a file's content, never for its name or time.

    A slide of several gigabytes is known by its size and 64 MiB of samples: two different slides
    cannot agree in all of them, and the night's batch does not spend an hour on hashing.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    if why := why_irregular(path):
        raise OSError(errno.EINVAL, why, str(path))
    size = path.stat().st_size
    running = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE_UP_TO:
            while block := file.read(SAMPLE_BYTES):
                running.update(block)
        else:
            for i in range(SAMPLES):
                file.seek(i * (size - SAMPLE_BYTES) // (SAMPLES - 1))
                running.update(file.read(SAMPLE_BYTES))
    return running.hexdigest()[:20]
