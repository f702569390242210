"""The images below a folder, without what systems hide beside them."""

from collections.abc import Collection, Iterator
from pathlib import Path

from wholecase.core.errors import ManifestError

TILE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".jp2"))
"""Files that are taken as tiles; all others in a folder are passed over."""


def require_folder(root: Path) -> None:
    """Pass a folder.

    Raises:
        ManifestError: it is none.
    """
    if not root.is_dir():
        raise ManifestError(f"{root}: no such folder; give the one that holds the images")


def folders_in(root: Path) -> list[Path]:
    """The folders right below one, by name.

    Raises:
        ManifestError: it is no folder.
    """
    require_folder(root)
    return sorted(path for path in root.iterdir() if path.is_dir() and not _hidden(path))


def images_in(folder: Path, suffixes: Collection[str] = TILE_SUFFIXES) -> list[Path]:
    """The images right in a folder, by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not _hidden(path) and path.is_file()
    )


def images_below(folder: Path, suffixes: Collection[str] = TILE_SUFFIXES) -> Iterator[Path]:
    """The images in a folder and all folders below, by name."""
    yield from images_in(folder, suffixes)
    for inner in folders_in(folder):
        yield from images_below(inner, suffixes)


def _hidden(path: Path) -> bool:
    # macOS leaves `._name` files and a __MACOSX folder on disks and in archives
    return path.name.startswith(".") or path.name == "__MACOSX"
