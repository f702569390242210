"""Files of several pictures: which one is read is known, named by the path, or refused.

`stack.tif#2` names the third page of a TIFF, or the third frame of a GIF, PNG or WebP.
"""

import re
from pathlib import Path

from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.core.regular import is_there

PAGE = re.compile(
    r"(?P<file>.+\.(?:tiff?|gif|a?png|webp))#(?P<page>[0-9]{1,9})", re.IGNORECASE | re.DOTALL
)
MOST_PAGES = 1000
"""Of a file of more pictures the rest is not looked at: the answer is known by then."""
_ANIMATED = ("GIF", "PNG", "WEBP")
"""Formats whose further frames are pictures of their own, whatever their size."""


def split_page(path: Path) -> tuple[Path, int] | None:
    """The file and the page that a path such as `stack.tif#2` names; None for any other path.

    >>> split_page(Path("x.tif#2"))[1], split_page(Path("x.tif")), split_page(Path("x.jpg#1"))
    (2, None, None)
    """
    found = PAGE.fullmatch(str(path))
    # a file may be called so itself
    return (Path(found["file"]), int(found["page"])) if found and not is_there(path) else None


def turn_to(path: Path, image: Image.Image, page: int) -> None:
    """Make Pillow read that page, counted from 0.

    Raises:
        SourceError: the file has no such page.
    """
    try:
        image.seek(page)
    except EOFError as error:
        raise SourceError(
            f"{path}: there is no such picture in the file; correct the number behind #"
        ) from error


def refuse_several(path: Path, image: Image.Image) -> str:
    """Pass a file whose first picture is what it is of; what else it holds is told, or nothing.

    That is so for smaller pages of a TIFF, which are thumbnails, and for what a camera puts behind
    a JPEG.

    Raises:
        SourceError: the file holds other pictures that could be meant as well.
    """
    first_px, beside = image.size, 0
    if image.format not in (*_ANIMATED, "TIFF"):
        return ""
    while beside < MOST_PAGES and _has(image, beside + 1):
        beside += 1
        if image.format != "TIFF" or not _is_beside(image, first_px):
            raise SourceError(
                f"{path}: holds several pictures, and which one is meant is not told; name one in "
                f"the manifest ({path.name}#0 is the first), or save each in a file of its own"
            )
    image.seek(0)
    return f"the first of {beside + 1} pictures is read, the others are smaller" if beside else ""


def _has(image: Image.Image, page: int) -> bool:
    try:
        image.seek(page)
    except EOFError:
        return False
    return True


def _is_beside(image: Image.Image, first_px: tuple[int, int]) -> bool:
    # tag NewSubfileType: 1 a smaller version, 4 a mask
    flagged = bool(getattr(image, "tag_v2", {}).get(254, 0) & 5)
    smaller = image.size[0] * image.size[1] < first_px[0] * first_px[1]
    return smaller or (flagged and image.size == first_px)
