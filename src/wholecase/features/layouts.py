"""How other tools lay out their feature files: which tensor, which places, which encoder."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.core.units import spacing_of_power
from wholecase.features.hdf5 import Contents, opened
from wholecase.features.places import Places

LONGEST_ATTRIBUTE = 16
"""Numbers; what is asked for here has one or two."""


@dataclass(frozen=True)
class Layout:
    """The feature files of one tool."""

    tool: str
    fits: Callable[[Contents], bool]
    """Whether an open file is one."""
    features: str
    """Name of the data set."""
    encoder: Callable[[Contents], str | None]
    """What it says of the encoder."""
    of_tiles: Callable[[Contents], bool]
    """Whether it says nothing of vectors that stand for more than a tile."""
    places: Callable[[Contents, Path], Places]


def layout_of(file: Contents, path: Path) -> Layout:
    """The layout that the open file is in.

    Raises:
        SourceError: none that is known.
    """
    for layout in LAYOUTS:
        if layout.fits(file):
            return layout
    held = ", ".join(file.held[:5]) or "nothing"
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
        level = _attribute(coords, "level_dim")
        size = None if level is None else tuple(round(float(v) * reduced) for v in np.ravel(level))
        return Places(
            corner_px=_corners(file),
            side_px=patch * reduced if patch else None,
            encoded_px=patch,
            size_px=(size[0], size[1]) if size and len(size) == 2 else None,
        )


def _clam(file: Contents, path: Path) -> Places:
    beside = clam_patches(path)
    places = patch_places(beside) if beside else Places()
    own = _corners(file)
    return Places(own, None, places.side_px, None, places.encoded_px, size_px=places.size_px)


def _trident(file: Contents, _path: Path) -> Places:
    coords = file["coords"]
    power = _number(coords, "level0_magnification")
    size = _number(coords, "level0_width"), _number(coords, "level0_height")
    return Places(
        corner_px=_corners(file),
        side_px=_number(coords, "patch_size_level0"),
        encoded_px=_number(coords, "patch_size"),
        spacing_um=spacing_of_power(power) if power else None,
        rung="magnification in the feature file",
        magnification=_number(coords, "target_magnification"),
        size_px=(int(size[0]), int(size[1])) if size[0] and size[1] else None,
    )


def _stamp(file: Contents, _path: Path) -> Places:
    side = _number(file, "tile_size_um") or _number(file, "tile_size")
    corners = _corners(file)
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


def _corners(file: Contents) -> np.ndarray | None:
    if "coords" not in file or file["coords"].dtype.kind not in "fiu":
        return None
    corners = np.asarray(file["coords"][()], np.float64)
    corners = corners[0] if corners.ndim == 3 and len(corners) == 1 else corners
    return corners if corners.ndim == 2 and corners.shape[1] == 2 else None


def _number(thing: Any, name: str) -> float | None:  # noqa: ANN401
    """An attribute as a number; of several, such as x and y, the first."""
    try:
        value = float(np.ravel(_attribute(thing, name))[0])
    except (ValueError, TypeError, IndexError):
        return None
    return value if np.isfinite(value) and value > 0 else None


def _text(thing: Any, name: str) -> str | None:  # noqa: ANN401
    value = _attribute(thing, name)
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return None if value is None or not str(value).strip() else str(value).strip()


def _attribute(thing: Any, name: str) -> Any:  # noqa: ANN401
    """Its value; None where it is missing or empty, or too long to be what is asked for."""
    if name not in thing.attrs:
        return None
    stored = thing.attrs.get_id(name)
    few = stored.shape is not None and math.prod(stored.shape) <= LONGEST_ATTRIBUTE
    return thing.attrs[name] if few else None


def _trident_fits(file: Contents) -> bool:
    if "features" not in file:
        return False
    is_placed = "coords" in file and "patch_size_level0" in file["coords"].attrs
    return is_placed or "encoder" in file["features"].attrs


def _stamp_encoder(file: Contents) -> str | None:
    return _text(file, "extractor") or _text(file, "encoder")


def _stamp_of_tiles(file: Contents) -> bool:
    return (_text(file, "feat_type") or "tile").lower() == "tile"


def _trident_encoder(file: Contents) -> str | None:
    return _text(file["features"], "encoder")


LAYOUTS = (
    Layout("STAMP", lambda f: "feats" in f, "feats", _stamp_encoder, _stamp_of_tiles, _stamp),
    Layout("TRIDENT", _trident_fits, "features", _trident_encoder, lambda _: True, _trident),
    Layout("CLAM", lambda f: "features" in f, "features", lambda _: None, lambda _: True, _clam),
)
"""The first that fits counts."""
