"""Feature files of CLAM, TRIDENT and STAMP as bags; nothing in them is believed or run."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from wholecase.core.errors import SourceError
from wholecase.core.tensor_file import read_tensor_file, tensor_shape
from wholecase.features.bag import Bag
from wholecase.features.hdf5 import opened
from wholecase.features.layouts import clam_patches, layout_of, patch_places
from wholecase.features.numbers import (
    Numbers,
    checked_type,
    numbers_of,
    real_rows,
    slide_vector,
    tile_rows,
    width_of,
)
from wholecase.features.origin import FeatureOrigin
from wholecase.features.places import Places, bag_of

TENSOR, SUFFIXES = ".pt", (".h5", ".hdf5", ".pt")
"""Of the files that `features` in the manifest may name."""
VERSION = 3
"""Counted up when the same file comes to give another bag."""


@dataclass(frozen=True)
class ForeignFeatures:
    """A feature file that another tool wrote."""

    bag: Bag
    """Without the rows of zeros; its facts hold what the numbers show."""
    origin: FeatureOrigin
    numbers: Numbers
    tool: str

    @property
    def encoder(self) -> str | None:
        """As the file names it; None where it does not."""
        return self.origin.encoder

    @property
    def width(self) -> int:
        """Numbers per tile."""
        return self.origin.width


def read_foreign(path: Path, mpp: float | None = None) -> ForeignFeatures:
    """A feature file; `mpp` is µm per level-0 pixel where the manifest tells it.

    Raises:
        SourceError: it is damaged, of no known layout, empty, not finite, all zero or all equal,
            holds less than it claims, or one vector for the whole slide.
    """
    if _suffix(path) == TENSOR:
        values = read_tensor_file(path)
        width_of(values.shape, path)
        _check_shape(values.shape, places := _tensor_places(path), None, path)
        return _features(values, places, ("CLAM", None), path, mpp)
    with opened(path) as file:
        layout = layout_of(file, path)
        encoder, data = layout.encoder(file), file[layout.features]
        if not layout.of_tiles(file):
            raise slide_vector(path, encoder or "")
        width_of(data.shape, path)
        checked_type(data.dtype, data.shape, path)
        _check_shape(data.shape, places := layout.places(file, path), encoder, path)
        return _features(data[()], places, (layout.tool, encoder), path, mpp)


def glance_foreign(path: Path, mpp: float | None = None) -> FeatureOrigin:
    """What a feature file says of its making, without what its numbers show.

    Raises:
        SourceError: as for `read_foreign`, as far as the numbers need not be looked at.
    """
    if _suffix(path) == TENSOR:
        shape, places = tensor_shape(path), _tensor_places(path)
        width = width_of(shape, path)
        _check_shape(shape, places, None, path)
        return _origin(None, width, places, mpp)
    with opened(path) as file:
        layout = layout_of(file, path)
        encoder, shape = layout.encoder(file), file[layout.features].shape
        if not layout.of_tiles(file):
            raise slide_vector(path, encoder or "")
        width = width_of(shape, path)
        _check_shape(shape, places := layout.places(file, path), encoder, path)
        return _origin(encoder, width, places, mpp)


def _features(
    values: np.ndarray, places: Places, by: tuple[str, str | None], path: Path, mpp: float | None
) -> ForeignFeatures:
    """Of values and places that are known to fit; `by` is tool and encoder."""
    rows = tile_rows(values, path)
    real = real_rows(rows, path)
    bag = bag_of(rows, _finite(places), mpp)
    bag = bag if real.all() else _kept(bag, real)
    numbers = numbers_of(bag.values, int((~real).sum()))
    origin = numbers.added_to(_origin(by[1], rows.shape[1], places, mpp))
    return ForeignFeatures(
        replace(bag, facts={**bag.facts, **numbers.facts()}), origin, numbers, by[0]
    )


def _origin(encoder: str | None, width: int, places: Places, mpp: float | None) -> FeatureOrigin:
    return FeatureOrigin(
        encoder, width, places.magnification, places.scale_um(mpp), places.encoded_px
    )


def _kept(bag: Bag, real: Bool[np.ndarray, " N"]) -> Bag:
    values: Float32[np.ndarray, "n D"] = bag.values[real]
    return Bag(values, bag.box_px[real], bag.position_um[real], bag.scale[real], bag.facts)


def _suffix(path: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{path}: no feature file; its name should end in {', '.join(SUFFIXES)}")
    return path.suffix.lower()


def _tensor_places(path: Path) -> Places:
    beside = clam_patches(path)
    return patch_places(beside) if beside else Places()


def _check_shape(shape: tuple[int, ...], places: Places, encoder: str | None, path: Path) -> None:
    """Pass features that are as many as their places, and more than one unless it has a place."""
    tiles = int(np.prod(shape[:-1]))
    corners = [c for c in (places.corner_px, places.corner_um) if c is not None]
    if tiles == 1 and not any(len(corner) == 1 for corner in corners):
        raise slide_vector(path, encoder or "")
    for corner in corners:
        if len(corner) != tiles:
            raise SourceError(
                f"{path}: {tiles} tiles of features but {len(corner)} coordinates; extract it anew"
            )


def _finite(places: Places) -> Places:
    """The places less corners that are no numbers."""
    if places.corner_um is not None and not np.isfinite(places.corner_um).all():
        places = replace(places, corner_um=None)
    if places.corner_px is not None and not np.isfinite(places.corner_px).all():
        places = replace(places, corner_px=None)
    return places
