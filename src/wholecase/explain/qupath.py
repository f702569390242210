"""A folder that QuPath opens as a project: the slides, and attention beside them to import.

QuPath keeps objects in files that Java serialises, which only QuPath can write. So the tiles lie
beside as GeoJSON, and a script in the project brings them in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from wholecase.core.errors import RunError
from wholecase.core.files import write_json, write_text
from wholecase.explain.annotations import attention_geojson
from wholecase.explain.evidence import Evidence
from wholecase.explain.heatmap import AUTO
from wholecase.sources import (
    ImageSource,
    OpenSlideSource,
    members,
    shown_by_openslide,
    split_index,
)

PROJECT = "project.qpproj"
VERSION = "0.5.0"
"""Of QuPath, whose form of a project this is; later versions read it."""
SERVERS = "qupath.lib.images.servers"
README = """\
Drag project.qpproj onto QuPath 0.5 or later to see the slides; they stay where they are.
Then choose Automate > Project scripts > import_attention and run it once: every tile becomes a \
detection coloured by its attention, with its weight, rank and evidence as measurements.
If slides have moved, QuPath asks for their new folder when the project is opened.
"""


@dataclass(frozen=True)
class QuPathImage:
    """One entry of a project."""

    name: str
    """Shown by QuPath, and the name of the GeoJSON file; a safe file name."""
    case: str
    file: Path
    reader: str
    """`OpenSlide` or `Bio-Formats`."""
    attention: str
    """GeoJSON in the pixels that QuPath shows."""


def qupath_image(
    name: str, case: str, source: ImageSource, evidence: Evidence, *, scale: str = AUTO
) -> QuPathImage:
    """An open image and what was attended on it, as an entry of a project.

    QuPath reads the image by OpenSlide where it shows the same, and by Bio-Formats else; of a
    folder in DICOM it is given the largest file.

    Raises:
        RunError: QuPath cannot open such an image: a row of an HDF5 file.
    """
    if split_index(source.path) is not None:
        raise RunError(f"{source.path} is a row of a file, which QuPath cannot show; leave it out")
    file = source.path
    if file.is_dir():
        file = max(members(file), key=lambda member: member.stat().st_size)
    return QuPathImage(
        name=name,
        case=case,
        file=file.resolve(),
        reader="OpenSlide" if shown_by_openslide(source) else "Bio-Formats",
        attention=attention_geojson(evidence, scale=scale, origin_px=viewer_origin(source)),
    )


def viewer_origin(source: ImageSource) -> tuple[int, int]:
    """Where QuPath counts from, in level-0 pixels: it cuts off what was not scanned (MRXS, SCN)."""
    scanned = source.scanned_px if isinstance(source, OpenSlideSource) else None
    return (0, 0) if scanned is None else scanned[:2]


def refuse_project(folder: Path) -> None:
    """Refuse a folder that holds a project already: QuPath may have saved work in it.

    Raises:
        RunError: it does.
    """
    if (folder / PROJECT).exists():
        raise RunError(f"{folder} holds a QuPath project already; choose another folder")


def write_qupath_project(folder: Path, images: Sequence[QuPathImage], *, now_ms: int) -> Path:
    """Write a project with one entry per image; returns the file that QuPath opens.

    Beside it lie `attention/<name>.geojson`, `scripts/import_attention.groovy` and `README.txt`.
    `now_ms` is the time that the project tells of its making, in milliseconds since 1970.

    Raises:
        RunError: the folder holds a project already, or there is no image for it.
    """
    refuse_project(folder)
    if not images:
        raise RunError(
            f"{folder} would be a QuPath project without images: feature files and rows of HDF5 "
            "files cannot be shown in QuPath; leave the project out"
        )
    path = folder / PROJECT
    for image in images:
        write_text(folder / "attention" / f"{image.name}.geojson", image.attention)
    script = files("wholecase.explain").joinpath("import_attention.groovy")
    write_text(folder / "scripts" / "import_attention.groovy", script.read_text(encoding="utf-8"))
    write_text(folder / "README.txt", README)
    project = {
        "version": VERSION,
        "createTimestamp": now_ms,
        "modifyTimestamp": now_ms,
        "uri": path.resolve().as_uri(),
        "lastID": len(images),
        "images": [_entry(number, image) for number, image in enumerate(images, start=1)],
    }
    write_json(path, project)  # last: says that the folder is a project
    return path


def _entry(number: int, image: QuPathImage) -> dict[str, Any]:
    slide = image.reader == "OpenSlide"
    provider = "openslide.OpenslideServerBuilder" if slide else "bioformats.BioFormatsServerBuilder"
    return {
        "serverBuilder": {
            "builderType": "uri",
            "providerClassName": f"{SERVERS}.{provider}",
            "uri": image.file.as_uri(),
            "args": [] if slide else ["--series", "0"],
        },
        "entryID": number,
        # shown where names are masked; the same each time
        "randomizedName": str(uuid5(NAMESPACE_URL, image.name)),
        "imageName": image.name,
        "metadata": {"case": image.case},
    }
