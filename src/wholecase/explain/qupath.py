"""A folder that QuPath opens as a project: the slides, and attention beside them to import.

QuPath keeps objects in files that Java serialises, which only QuPath can write. So the tiles lie
beside as GeoJSON, and a script in the project brings them in.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from wholecase.core.errors import RunError
from wholecase.core.files import write_json, write_text
from wholecase.explain.annotations import attention_geojson
from wholecase.explain.evidence import Evidence
from wholecase.explain.heatmap import AUTO
from wholecase.explain.qupath_project import (
    PROJECT,
    QuPathImage,
    add_to,
    empty_project,
    read_project,
)
from wholecase.sources import (
    ImageSource,
    OpenSlideSource,
    members,
    shown_by_openslide,
    split_index,
)

README = """\
Drag project.qpproj onto QuPath 0.5 or later to see the slides; they stay where they are.
Then choose Automate > Project scripts > import_attention and run it once: every tile becomes a \
detection coloured by its attention, with its weight, rank and evidence as measurements.
If slides have moved, QuPath asks for their new folder when the project is opened.
"""


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
    """Refuse a folder whose project cannot be added to.

    Raises:
        RunError: it is damaged, or of another form.
    """
    read_project(folder)


def write_qupath_project(folder: Path, images: Sequence[QuPathImage], *, now_ms: int) -> Path:
    """Write a project with one entry per image, or add to the one that is there.

    Beside it lie `attention/<name>.geojson`, `scripts/import_attention.groovy` and `README.txt`. Of
    a project that was there, entries and what QuPath keeps of them stay, and the file as it was
    lies beside as `.backup`, as QuPath does it. Returns the file that QuPath opens.

    Args:
        folder: of the project.
        images: an image that is in it by its file gets new attention and no second entry.
        now_ms: the time that the project tells of its change, in milliseconds since 1970.

    Raises:
        RunError: there is no image for it, another one has its name, or the project that is there
            cannot be added to.
    """
    there, path = read_project(folder), folder / PROJECT
    if not images:
        raise RunError(
            f"{folder} would be a QuPath project without images: feature files and rows of HDF5 "
            "files cannot be shown in QuPath; leave the project out"
        )
    project = there or empty_project(path, now_ms)
    for name, tiles in add_to(project, images).items():
        write_text(folder / "attention" / f"{name}.geojson", tiles)
    script = files("wholecase.explain").joinpath("import_attention.groovy")
    write_text(folder / "scripts" / "import_attention.groovy", script.read_text(encoding="utf-8"))
    if there:
        write_text(path.with_name(f"{PROJECT}.backup"), path.read_text(encoding="utf-8"))
    else:
        write_text(folder / "README.txt", README)
    write_json(path, project | {"modifyTimestamp": now_ms})  # last: says that it is a project
    return path
