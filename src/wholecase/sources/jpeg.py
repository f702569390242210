"""What libjpeg complains of while it reads on past damage: a JPEG has no checksum.

It tells nobody but the screen, and nothing that calls it asks. So the screen is listened to.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARK = b"\xff\xd8\xff"
COMPLAINT = "Corrupt JPEG data"
LEFT_OVER = "extraneous bytes"
"""Of bytes that nothing asks for; some cameras leave them, and so does damage."""
_SCREEN = threading.Lock()


def complaint_of(content: bytes) -> str:
    """The complaint about a JPEG's data; empty where there is none, or it is no JPEG.

    It is decoded at an eighth of its size for that. Meanwhile the process's stderr is mute.
    """
    import cv2
    import numpy as np

    if not content.startswith(MARK):
        return ""
    with muted() as heard, contextlib.suppress(cv2.error):
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        heard.seek(0)
        lines = heard.read().decode("utf-8", "replace").splitlines()
        return next((line for line in lines if line.startswith(COMPLAINT)), "")
    return ""


def guessed(content: bytes) -> str:
    """The complaint, where the decoder made up what lies behind the damage; else empty."""
    complaint = complaint_of(content)
    return "" if LEFT_OVER in complaint else complaint


def jpeg_of(path: Path) -> bytes:
    """The content of a JPEG file; empty where it is none."""
    with path.open("rb") as file:
        first = file.read(len(MARK))
        return first + file.read() if first == MARK else b""


@contextlib.contextmanager
def muted() -> Iterator[IO[bytes]]:
    """What this process and its libraries write to stderr, instead of writing it there."""
    # one thread at a time, or the last would put back what another had put there
    with _SCREEN, tempfile.TemporaryFile() as heard, contextlib.ExitStack() as after:
        before = os.dup(2)
        after.callback(os.close, before)
        after.callback(os.dup2, before, 2)
        os.dup2(heard.fileno(), 2)
        yield heard
