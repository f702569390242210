"""HDF5 files of pictures and labels, opened with an answer for each way to be wrong."""

from pathlib import Path
from typing import Any

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular


def open_hdf5(path: Path) -> Any:  # noqa: ANN401 (an h5py.File; importing its type takes 0.2 s)
    """The file, open for reading.

    Raises:
        SourceError: it is missing, packed, damaged or no HDF5 file.
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
    try:
        # network disks may refuse locks, which reading does not need
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise damaged_hdf5(path, error) from error


def data_set(path: Path, file: Any, name: str) -> Any:  # noqa: ANN401
    """A data set at the top of an open file.

    Raises:
        SourceError: the file has none of that name.
    """
    import h5py

    try:
        found = file.get(name)
    except (OSError, RuntimeError, KeyError) as error:
        raise damaged_hdf5(path, error) from error
    if not isinstance(found, h5py.Dataset):
        known = ", ".join(sorted(file)[:5]) or "nothing"
        raise SourceError(f"{path}: has no data set {name!r} but {known}; name another file")
    return found


def damaged_hdf5(path: Path, why: object) -> SourceError:
    """What is said where reading fails."""
    reason = str(why).splitlines()[0] if str(why) else type(why).__name__
    return SourceError(f"{path}: damaged or no HDF5 file ({reason}); fetch it again")
