"""HDF5 files that nobody has to trust, opened with an answer for each way to be wrong.

A file may claim more than it stores, hold links into other files or around in circles, be locked,
cut off or something else. What is claimed is compared with what is stored before anything is read.
"""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wholecase.core.errors import SourceError
from wholecase.core.os_errors import CURES, sentence_of
from wholecase.core.regular import refuse_irregular

MOST_PACKED = 1100
"""Numbers are packed at most so many times: deflate reaches 1032."""
LONGEST = 160
"""Characters of the library's own words that are repeated."""


def open_hdf5(path: Path) -> Any:  # noqa: ANN401 (an h5py.File; importing its type takes 0.2 s)
    """The file, open for reading.

    Raises:
        SourceError: it is missing, packed, locked, damaged or no HDF5 file.
    """
    import h5py

    if path.suffix.lower() == ".gz":
        raise SourceError(
            f"{path}: rows of a packed file cannot be reached; unpack it once with `gunzip -k` and "
            f"name {path.with_suffix('').name}, or let `wholecase cohort pcam` do so"
        )
    refuse_irregular(path, SourceError)
    if not path.is_file():
        packed = path.with_name(f"{path.name}.gz")
        cure = f"unpack {packed.name} with `gunzip -k`" if packed.is_file() else "correct the path"
        raise SourceError(f"{path}: no such file; {cure}")
    with hdf5_damage(path):
        # network disks may refuse locks, which reading does not need
        return h5py.File(path, "r", locking=False)


HELD = ("already open", "file locking")
"""What HDF5 says of a file that is being written to."""


def data_set(path: Path, file: Any, name: str) -> Any:  # noqa: ANN401
    """A data set at the top of an open file, every number of which is stored in the file.

    Raises:
        SourceError: the file has none of that name, only a link, or less than it claims.
    """
    import h5py

    with hdf5_damage(path):
        link = file.get(name, getlink=True) if name in set(file) else None
        if isinstance(link, h5py.SoftLink | h5py.ExternalLink):
            raise SourceError(
                f"{path}: {name!r} is a link to {_target(link)}, and links are not followed; copy "
                "the data set into the file"
            )
        found = None if link is None else file.get(name)
        if not isinstance(found, h5py.Dataset):
            known = ", ".join(sorted(file)[:5]) or "nothing"
            raise SourceError(f"{path}: has no data set {name!r} but {known}; name another file")
        _check_stored(path, found)
        return found


@contextlib.contextmanager
def hdf5_damage(path: Path) -> Iterator[None]:
    """What the library raises here is a sentence about the file.

    Raises:
        SourceError: those raised inside pass as they are.
    """
    try:
        yield
    except SourceError:
        raise
    except OSError as error:
        if error.errno in CURES:  # it may be whole
            raise SourceError(sentence_of(error, path)) from error
        if any(word in str(error) for word in HELD):
            raise SourceError(
                f"{path}: another program has it open for writing; wait for it, or close it"
            ) from error
        raise damaged_hdf5(path, error) from error
    except Exception as error:  # damaged bytes lead a library anywhere
        raise damaged_hdf5(path, error) from error


def damaged_hdf5(path: Path, why: object) -> SourceError:
    """What is said where reading fails."""
    reason = str(why).splitlines()[0][:LONGEST] if str(why) else type(why).__name__
    return SourceError(f"{path}: damaged or no HDF5 file ({reason}); fetch it again")


def _check_stored(path: Path, data: Any) -> None:  # noqa: ANN401
    """Pass a data set whose numbers are all in the file; reads none of them."""
    if data.is_virtual or data.external:
        raise SourceError(
            f"{path}: the numbers of {data.name!r} lie in other files, which are not opened; copy "
            "them into this one"
        )
    if data.shape is None:
        raise SourceError(f"{path}: {data.name!r} is empty; write the file anew")
    stored, claimed = data.id.get_storage_size(), data.size * data.dtype.itemsize
    if data.chunks is not None:
        claimed = max(claimed, _check_pieces(path, data) * data.dtype.itemsize)
    packed = data.id.get_create_plist().get_nfilters() > 0
    if claimed > stored * (MOST_PACKED if packed else 1) or stored > path.stat().st_size:
        raise SourceError(
            f"{path}: {data.name!r} claims {claimed} bytes and {stored} are stored; it is damaged "
            "or was never written to its end, fetch it again"
        )


def _check_pieces(path: Path, data: Any) -> int:  # noqa: ANN401
    """The numbers that all stored pieces hold together, once each is known to be there."""
    belong = math.prod(-(-n // piece) for n, piece in zip(data.shape, data.chunks, strict=True))
    there = data.id.get_num_chunks()
    if there < belong:
        raise SourceError(
            f"{path}: {data.name!r} has stored {there} pieces where {belong} belong; it is damaged "
            "or was never written to its end, fetch it again"
        )
    return int(there * math.prod(data.chunks))


def _target(link: Any) -> str:  # noqa: ANN401
    return f"{link.filename}:{link.path}" if hasattr(link, "filename") else str(link.path)
