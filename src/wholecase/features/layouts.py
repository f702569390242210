"""How other tools lay out their feature files: which tensor, which places, which encoder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.core.units import spacing_of_power
from wholecase.features.hdf5 import opened
from wholecase.features.places import Places

File = Mapping[str, Any]
"""An open HDF5 file: data sets by name, each with `attrs`."""


@dataclass(frozen=True)
class Layout:
    """The feature files of one tool."""

    tool: str
    fits: Callable[[Any], bool]
    """Whether an open file is one."""
    features: str
    """Name of the data set."""
    encoder: Callable[[Any], str | None]
    """What it says of the encoder."""
    places: Callable[[Any, Path], Places]


def layout_of(file: Any, path: Path) -> Layout:  # noqa: ANN401 (h5py has no types)
    """The layout that the open file is in.

    Raises:
        SourceError: none that is known.
    """
    for layout in LAYOUTS:
        if layout.fits(file):
            return layout
    held = ", ".join(file) or "nothing"
    raise SourceError(
        f"{path}: no feature file of CLAM, TRIDENT or STAMP: it holds {held}, and neither "
        "`features` nor `feats`; give the file of the tile features"
    )


def clam_patches(path: Path) -> Path | None:
    """CLAM's patch file of a slide, `patches/<slide>.h5` beside the features or above them."""
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        if (found := folder / "patches" / f"{path.stem}.h5").is_file() and found != path:
            return found
    return None


def patch_places(path: Path) -> Places:
    """What CLAM's patch file tells of the tiles: side, and size of the slide.

    Raises:
        SourceError: it cannot be read, or is none.
    """
    with opened(path) as file:
        if "coords" not in file:
            raise SourceError(f"{path}: no patch file of CLAM; move it, or fetch it again")
        coords = file["coords"]
        reduced = _number(coords, "downsample") or 1.0
        patch = _number(coords, "patch_size")
        level = coords.attrs.get("level_dim")
        size = None if level is None else tuple(round(float(v) * reduced) for v in np.ravel(level))
        return Places(
            corner_px=_corners(file, "coords"),
            side_px=patch * reduced if patch else None,
            encoded_px=patch,
            size_px=(size[0], size[1]) if size and len(size) == 2 else None,
        )


def _clam(file: Any, path: Path) -> Places:  # noqa: ANN401
    beside = clam_patches(path)
    told = patch_places(beside) if beside else Places()
    own = _corners(file, "coords")
    return Places(own, None, told.side_px, None, told.encoded_px, size_px=told.size_px)


def _trident(file: Any, _path: Path) -> Places:  # noqa: ANN401
    coords = file["coords"]
    power = _number(coords, "level0_magnification")
    size = _number(coords, "level0_width"), _number(coords, "level0_height")
    return Places(
        corner_px=_corners(file, "coords"),
        side_px=_number(coords, "patch_size_level0"),
        encoded_px=_number(coords, "patch_size"),
        spacing_um=spacing_of_power(power) if power else None,
        rung="magnification in the feature file",
        size_px=(int(size[0]), int(size[1])) if size[0] and size[1] else None,
    )


def _stamp(file: Any, _path: Path) -> Places:  # noqa: ANN401
    side = _number(file, "tile_size_um") or _number(file, "tile_size")
    corners = _corners(file, "coords")
    unit = _text(file, "unit") or _text(file["coords"], "unit") if "coords" in file else None
    known = unit == "um" or (unit is None and _steps_by(corners, side))
    return Places(
        corner_um=corners if known else None,
        side_um=side,
        encoded_px=_number(file, "tile_size_px"),
    )


def _steps_by(corners: np.ndarray | None, side: float | None) -> bool:
    """Whether tiles lie side by side in steps of their side: only then its unit is theirs."""
    if corners is None or side is None:
        return False
    steps = np.concatenate([np.diff(np.unique(corners[:, axis])) for axis in (0, 1)])
    return len(steps) > 0 and bool(np.isclose(steps.min(), side, rtol=0.01))


def _corners(file: Any, name: str) -> np.ndarray | None:  # noqa: ANN401
    if name not in file:
        return None
    corners = np.asarray(file[name][()], np.float64)
    corners = corners[0] if corners.ndim == 3 and len(corners) == 1 else corners
    return corners if corners.ndim == 2 and corners.shape[1] == 2 else None


def _number(thing: Any, name: str) -> float | None:  # noqa: ANN401
    """An attribute as a number; of several, such as x and y, the first."""
    try:
        value = float(np.ravel(thing.attrs[name])[0])
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    return value if np.isfinite(value) and value > 0 else None


def _text(thing: Any, name: str) -> str | None:  # noqa: ANN401
    value = thing.attrs.get(name)
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return None if value is None or not str(value).strip() else str(value).strip()


def _trident_fits(file: Any) -> bool:  # noqa: ANN401
    if "features" not in file:
        return False
    told = "coords" in file and "patch_size_level0" in file["coords"].attrs
    return told or "encoder" in file["features"].attrs


LAYOUTS = (
    Layout("STAMP", lambda f: "feats" in f, "feats", lambda f: _text(f, "extractor"), _stamp),
    Layout(
        "TRIDENT",
        _trident_fits,
        "features",
        lambda f: _text(f["features"], "encoder"),
        _trident,
    ),
    Layout("CLAM", lambda f: "features" in f, "features", lambda _: None, _clam),
)
"""The first that fits counts."""
