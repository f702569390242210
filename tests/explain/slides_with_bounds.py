"""A Leica slide of which a part was scanned: OpenSlide tells its bounds, viewers cut to them."""

from pathlib import Path

import numpy as np

SPACE = "http://www.leica-microsystems.com/scn/2010/10/01"
NM = 500
"""Of a pixel of level 0."""


def write_scn(
    path: Path, scanned: np.ndarray, at_px: tuple[int, int], size_px: tuple[int, int]
) -> Path:
    """A slide of `size_px` (width, height), scanned at `at_px` only."""
    import tifffile

    width, height = size_px
    tall, wide = scanned.shape[:2]
    small = np.full((height // 4, width // 4, 3), 220, np.uint8)
    macro = _image("macro", 0, (width // 4, height // 4), (width, height), (0, 0))
    main = _image("main", 1, (wide, tall), (wide, tall), at_px)
    header = (
        f'<?xml version="1.0"?><scn xmlns="{SPACE}" uuid="u"><collection name="c" uuid="v" '
        f'sizeX="{width * NM}" sizeY="{height * NM}">{macro}{main}</collection></scn>'
    )
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        options = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
        file.write(small, description=header, **options)
        file.write(scanned, **options)
    return path


def _image(
    name: str,
    ifd: int,
    pixels: tuple[int, int],
    view_px: tuple[int, int],
    at_px: tuple[int, int],
) -> str:
    return (
        f'<image name="{name}" uuid="{name}"><creationDate>2020-01-01T00:00:00</creationDate>'
        f'<device model="Leica SCN400" version="1"/><pixels sizeX="{pixels[0]}" '
        f'sizeY="{pixels[1]}"><dimension sizeX="{pixels[0]}" sizeY="{pixels[1]}" r="0" '
        f'ifd="{ifd}"/></pixels><view sizeX="{view_px[0] * NM}" sizeY="{view_px[1] * NM}" '
        f'offsetX="{at_px[0] * NM}" offsetY="{at_px[1] * NM}" spacingZ="0"/><scanSettings>'
        "<objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>"
        "<numericalAperture>0.4</numericalAperture><illuminationSource>brightfield"
        "</illuminationSource></illuminationSettings></scanSettings></image>"
    )
