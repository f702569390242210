"""Feature files of CLAM, TRIDENT and STAMP as bags."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from wholecase.core.errors import SourceError
from wholecase.features.bag import Bag
from wholecase.features.hdf5 import opened
from wholecase.features.layouts import clam_patches, layout_of, patch_places
from wholecase.features.places import Places, bag_of

SUFFIXES = (".h5", ".hdf5", ".pt")
"""Of the files that `features` in the manifest may name."""
VERSION = 1
"""Counted up when the same file comes to give another bag."""


@dataclass(frozen=True)
class ForeignFeatures:
    """A feature file that another tool wrote."""

    bag: Bag
    encoder: str | None
    """As the file names it; None where it does not."""
    tool: str

    @property
    def width(self) -> int:
        """Numbers per tile."""
        return int(self.bag.values.shape[1])


def read_foreign(path: Path, mpp: float | None = None) -> ForeignFeatures:
    """A feature file in HDF5; `mpp` is µm per level-0 pixel where the manifest tells it.

    Raises:
        SourceError: it is damaged, of no known layout, empty, not finite, or holds one vector for
            the whole slide.
    """
    with opened(path) as file:
        layout = layout_of(file, path)
        values = tiles(file[layout.features][()], path)
        places = layout.places(file, path)
        bag = bag_of(values, _fitting(places, len(values), path), mpp)
        return ForeignFeatures(bag, layout.encoder(file), layout.tool)


def foreign_tensor(path: Path, values: Any, mpp: float | None = None) -> ForeignFeatures:  # noqa: ANN401
    """A bare tensor as CLAM writes it, placed by the patch file if that lies beside it.

    Args:
        path: where it was read from.
        values: the tensor as an array.
        mpp: as for `read_foreign`.

    Raises:
        SourceError: as for `read_foreign`.
    """
    checked = tiles(values, path)
    beside = clam_patches(path)
    places = patch_places(beside) if beside else Places()
    return ForeignFeatures(bag_of(checked, _fitting(places, len(checked), path), mpp), None, "CLAM")


def glance_foreign(path: Path) -> tuple[str | None, int]:
    """Encoder and width of a feature file in HDF5, without its vectors.

    Raises:
        SourceError: it is damaged or of no known layout.
    """
    with opened(path) as file:
        layout = layout_of(file, path)
        return layout.encoder(file), width_of(file[layout.features].shape, path)


def width_of(shape: tuple[int, ...], path: Path) -> int:
    """Numbers per tile of features of that shape.

    Raises:
        SourceError: they are no list of tiles.
    """
    if len(shape) == 3 and shape[0] == 1:  # older TRIDENT
        shape = shape[1:]
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 0):
        raise SourceError(
            f"{path}: holds one vector for the whole slide, not one per tile; give the file of its "
            "tile features"
        )
    if len(shape) != 2:
        told = " x ".join(str(n) for n in shape)
        raise SourceError(f"{path}: features of shape {told} are no list of tiles; extract it anew")
    if shape[0] == 0:
        raise SourceError(f"{path}: holds no tiles; leave the slide out, or extract it anew")
    return int(shape[1])


def tiles(values: Any, path: Path) -> Float32[np.ndarray, "N D"]:  # noqa: ANN401
    """Checked features, one row per tile.

    Raises:
        SourceError: they are no list of tiles, empty, or not finite.
    """
    told = np.asarray(values)
    width = width_of(told.shape, path)
    rows: Float32[np.ndarray, "N D"] = told.reshape(-1, width).astype(np.float32)
    if not (finite := np.isfinite(rows).all(1)).all():
        bad = int((~finite).sum())
        raise SourceError(
            f"{path}: {bad} of {len(rows)} tiles hold features that are not finite; extract it anew"
        )
    return rows


def _fitting(places: Places, n: int, path: Path) -> Places:
    """The places, if they are as many as there are tiles."""
    for corner in (places.corner_px, places.corner_um):
        if corner is not None and len(corner) != n:
            raise SourceError(
                f"{path}: {n} tiles of features but {len(corner)} coordinates; extract it anew"
            )
    if places.corner_um is not None and not np.isfinite(places.corner_um).all():
        return replace(places, corner_um=None)
    return places
