"""What libjpeg complains of while it reads on past damage: a JPEG has no checksum.

It tells nobody but the screen, and nothing that calls it asks. So the screen is listened to.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARK = b"\xff\xd8\xff"


def complaint_of(path: Path) -> str:
    """The complaint about a JPEG's data; empty where there is none, or it is no JPEG.

    The file is decoded at an eighth of its size for it. Meanwhile the process's stderr is mute.
    """
    import cv2
    import numpy as np

    content = path.read_bytes()
    if not content.startswith(MARK):
        return ""
    with muted() as heard, contextlib.suppress(cv2.error):
        cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        heard.seek(0)
        lines = heard.read().decode("utf-8", "replace").splitlines()
        return next((line for line in lines if line.startswith("Corrupt JPEG data")), "")
    return ""


@contextlib.contextmanager
def muted() -> Iterator[IO[bytes]]:
    """What this process and its libraries write there, instead of writing it there."""
    with tempfile.TemporaryFile() as heard, contextlib.ExitStack() as after:
        before = os.dup(2)
        after.callback(os.close, before)
        after.callback(os.dup2, before, 2)
        os.dup2(heard.fileno(), 2)
        yield heard
