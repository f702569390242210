"""What a feature file in HDF5 holds, each data set checked before a number of it is read."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholecase.core.errors import SourceError
from wholecase.core.hdf5 import data_set, hdf5_damage, open_hdf5
from wholecase.core.regular import refuse_irregular

NAMES = ("features", "feats", "coords")
"""Data sets that the known tools write."""


@dataclass(frozen=True)
class Contents:
    """An open file, as far as it is looked at."""

    sets: Mapping[str, Any]
    """Data sets by name, each with `attrs`."""
    attrs: Mapping[str, Any]
    held: tuple[str, ...]
    """Names of all that is in the file."""

    def __contains__(self, name: str) -> bool:
        return name in self.sets

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (h5py has no types)
        return self.sets[name]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """The open file, for reading; whatever the library raises meanwhile is told of the file.

    Raises:
        SourceError: it is missing, damaged, no HDF5 file, or holds less than it claims.
    """
    refuse_irregular(path, SourceError)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; correct the path in the manifest")
    with open_hdf5(path) as file, hdf5_damage(path):
        held = tuple(file)
        sets = {name: data_set(path, file, name) for name in NAMES if name in held}
        yield Contents(sets, file.attrs, held)
