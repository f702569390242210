"""One feature file of another tool: into a bag, or only looked at."""

from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.core.errors import SourceError, WeightsError
from wholecase.encoders import StoredHead
from wholecase.features import (
    SUFFIXES,
    ForeignFeatures,
    foreign_tensor,
    glance_foreign,
    read_foreign,
    width_of,
)

if TYPE_CHECKING:
    from torch import Tensor


def read_features(path: Path, mpp: float | None = None) -> ForeignFeatures:
    """A feature file of CLAM (.h5, .pt), TRIDENT or STAMP (.h5); no code in it is run.

    Raises:
        SourceError: it is damaged, of no known layout, empty, or not finite.
    """
    if _suffix(path) == ".pt":
        return foreign_tensor(path, _tensor(path).float().numpy(), mpp)
    return read_foreign(path, mpp)


def head_of(path: Path) -> StoredHead:
    """What a feature file says of itself, without reading its vectors.

    Raises:
        SourceError: it is damaged, or of no known layout.
    """
    if _suffix(path) == ".pt":
        return StoredHead(path, None, width_of(tuple(_tensor(path).shape), path))
    return StoredHead(path, *glance_foreign(path))


def _suffix(path: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{path}: no feature file; its name should end in {', '.join(SUFFIXES)}")
    return path.suffix.lower()


def _tensor(path: Path) -> "Tensor":
    # torch comes with it, and files in HDF5 need none
    from wholecase.weights import read_tensor

    try:
        return read_tensor(path)
    except WeightsError as error:
        raise SourceError(
            f"{path}: damaged, or not the bare tensor that CLAM writes; extract it again"
        ) from error
