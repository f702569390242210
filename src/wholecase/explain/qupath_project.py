"""The file of a QuPath project: what is in it, and images added to it.

What QuPath keeps of an image, outlines among it, hangs by the number of its entry; so entries that
are there stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from uuid import NAMESPACE_URL, uuid5

from wholecase.core.errors import RunError
from wholecase.core.files import read_json

PROJECT = "project.qpproj"
VERSION = "0.5.0"
"""Of QuPath, whose form of a project this is; later versions read it."""
SERVERS = "qupath.lib.images.servers"
BUILDERS = {
    "OpenSlide": (f"{SERVERS}.openslide.OpenslideServerBuilder", []),
    "Bio-Formats": (f"{SERVERS}.bioformats.BioFormatsServerBuilder", ["--series", "0"]),
}
"""Who reads an image in QuPath, and what it is told besides."""


@dataclass(frozen=True)
class QuPathImage:
    """One entry of a project."""

    name: str
    """Shown by QuPath, and the name of the GeoJSON file; a safe file name."""
    case: str
    file: Path
    reader: str
    """A key of `BUILDERS`."""
    attention: str
    """GeoJSON in the pixels that QuPath shows."""


def read_project(folder: Path) -> dict[str, Any] | None:
    """The project in a folder, or None where there is none.

    Raises:
        RunError: it is damaged, or none that images can be added to.
    """
    path = folder / PROJECT
    if not path.exists():
        return None
    try:
        project = read_json(path)
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); choose another folder") from error
    entries = project.get("images") if isinstance(project, dict) else None
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise RunError(f"{path} is no project as QuPath {VERSION} writes it; choose another folder")
    return dict(project)


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("entryID"), int)
        and isinstance(entry.get("imageName"), str)
    )


def empty_project(path: Path, now_ms: int) -> dict[str, Any]:
    """A project without images."""
    return {
        "version": VERSION,
        "createTimestamp": now_ms,
        "uri": path.resolve().as_uri(),
        "lastID": 0,
        "images": [],
    }


def add_to(project: dict[str, Any], images: Sequence[QuPathImage]) -> dict[str, str]:
    """Let the images be among the project's.

    An image that was there by its file stays under its number and name.

    Returns:
        Name in the project -> attention.

    Raises:
        RunError: another image has the name of one.
    """
    before, attention = list(project["images"]), {}
    for image in images:
        entry = _found(before, image) or _appended(project, image)
        attention[entry["imageName"]] = image.attention
    return attention


def _found(entries: Sequence[Mapping[str, Any]], image: QuPathImage) -> Mapping[str, Any] | None:
    """The entry of that file, rather the one of that name; None where there is none."""
    wanted = _path(image.file.as_uri())
    of_file = [e for e in entries if wanted in map(_path, _addresses(e.get("serverBuilder")))]
    found = next((e for e in of_file if e["imageName"] == image.name), next(iter(of_file), None))
    if found is not None and Path(found["imageName"]).name != found["imageName"]:
        raise RunError(
            f"the QuPath project calls {image.file} {found['imageName']!r}, which is no file's "
            "name; rename it there"
        )
    return found


def _appended(project: dict[str, Any], image: QuPathImage) -> Mapping[str, Any]:
    if image.name in {entry["imageName"] for entry in project["images"]}:
        raise RunError(
            f"the QuPath project has another image called {image.name!r}; choose another folder"
        )
    number = 1 + max([project.get("lastID", 0), *(one["entryID"] for one in project["images"])])
    entry = _entry(number, image)
    project["images"].append(entry)
    project["lastID"] = number
    return entry


def _addresses(builder: object) -> Iterator[str]:
    """Of the files that a server reads; one that turns or joins others has them inside."""
    if isinstance(builder, Mapping):
        for key, value in builder.items():
            if key == "uri" and isinstance(value, str):
                yield value
            else:
                yield from _addresses(value)
    elif isinstance(builder, list):
        for one in builder:
            yield from _addresses(one)


def _path(address: str) -> str:
    """Of a file's address; Java writes one slash where Python writes three."""
    return unquote(urlparse(address).path)


def _entry(number: int, image: QuPathImage) -> dict[str, Any]:
    provider, arguments = BUILDERS[image.reader]
    return {
        "serverBuilder": {
            "builderType": "uri",
            "providerClassName": provider,
            "uri": image.file.as_uri(),
            "args": arguments,
        },
        "entryID": number,
        # shown where names are masked; the same each time
        "randomizedName": str(uuid5(NAMESPACE_URL, image.name)),
        "imageName": image.name,
        "metadata": {"case": image.case},
    }
