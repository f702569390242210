"""HDF5 files that may be cut off, locked or something else."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open file, for reading.

    Raises:
        SourceError: it is missing, damaged or no HDF5 file.
    """
    import h5py

    refuse_irregular(path, SourceError)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; correct the path in the manifest")
    try:
        # network disks may refuse locks, which reading does not need
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except OSError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{path}: damaged or no HDF5 file ({reason}); fetch it again") from error
