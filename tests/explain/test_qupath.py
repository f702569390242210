"""The project that QuPath opens: right readers, right files, tiles where QuPath shows them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import h5py
import numpy as np
import pytest
from PIL import Image

from explain.slides_with_bounds import write_scn
from wholecase.core.errors import RunError
from wholecase.explain import (
    Evidence,
    QuPathImage,
    qupath_image,
    viewer_origin,
    write_qupath_project,
)
from wholecase.sources import OpenSlideSource, open_source, read_box

AT, SIDE = (200, 150), 64
BOXES = np.array([[x, y, SIDE, SIDE] for x in range(200, 648, 64) for y in range(150, 470, 64)])


@pytest.fixture
def scanned() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (384, 512, 3), dtype=np.uint8)


@pytest.fixture
def scn(scanned: np.ndarray, tmp_path: Path) -> Path:
    return write_scn(tmp_path / "a slide.scn", scanned, AT, (1000, 800))


@pytest.fixture
def png(tmp_path: Path) -> Path:
    Image.fromarray(np.full((256, 256, 3), 180, np.uint8)).save(tmp_path / "Größe 1.png")
    return tmp_path / "Größe 1.png"


@pytest.fixture
def entries(
    scn: Path, png: Path, evidence_of: Callable[..., Evidence]
) -> tuple[QuPathImage, QuPathImage]:
    with open_source(scn, "slide") as slide, open_source(png, "tile") as tile:
        return (
            qupath_image("case-1-0", "case-1", slide, evidence_of(BOXES)),
            qupath_image("case-1-1", "case-1", tile, evidence_of(BOXES[:3])),
        )


def test_the_slide_tells_what_was_scanned(scn: Path, png: Path) -> None:
    with open_source(scn, "slide") as source, open_source(png, "tile") as tile:
        assert isinstance(source, OpenSlideSource)
        assert source.scanned_px == (*AT, 512, 384)
        assert viewer_origin(source) == AT
        assert viewer_origin(tile) == (0, 0)


def test_tiles_lie_where_qupath_shows_their_pixels(
    scn: Path, scanned: np.ndarray, evidence_of: Callable[..., Evidence]
) -> None:
    evidence = evidence_of(BOXES)
    order = np.argsort(-evidence.weights[:, 0])
    with open_source(scn, "slide") as source:
        told = json.loads(qupath_image("a", "a", source, evidence).attention)
        assert len(told["features"]) == len(BOXES)
        for feature, index in zip(told["features"], order, strict=True):
            (x, y), _, (right, bottom), *_ = feature["geometry"]["coordinates"][0]
            ours = read_box(source, tuple(BOXES[index].tolist()), (SIDE, SIDE))
            # QuPath cuts the slide to what was scanned
            np.testing.assert_array_equal(scanned[y:bottom, x:right], ours)
            weight = feature["properties"]["measurements"]["attention"]
            assert weight == pytest.approx(evidence.weights[index, 0])


def test_a_project_has_one_entry_per_image_and_a_file_for_each(
    entries: tuple[QuPathImage, QuPathImage], scn: Path, png: Path, tmp_path: Path
) -> None:
    path = write_qupath_project(tmp_path / "project", entries, now_ms=1_700_000_000_000)
    project = json.loads(path.read_text())
    assert path.name == "project.qpproj"
    assert project["version"] == "0.5.0"
    assert project["createTimestamp"] == project["modifyTimestamp"] == 1_700_000_000_000
    assert _file(project["uri"]) == path.resolve()
    images = project["images"]
    assert [image["entryID"] for image in images] == [1, 2]
    assert project["lastID"] == 2
    assert len({image["randomizedName"] for image in images}) == 2
    builders = [image["serverBuilder"] for image in images]
    assert [_file(builder["uri"]) for builder in builders] == [scn.resolve(), png.resolve()]
    assert {builder["builderType"] for builder in builders} == {"uri"}
    assert [builder["providerClassName"].rsplit(".", 1)[1] for builder in builders] == [
        "OpenslideServerBuilder",
        "BioFormatsServerBuilder",
    ]
    assert [builder["args"] for builder in builders] == [[], ["--series", "0"]]
    names = [image["imageName"] for image in images]
    files = sorted((path.parent / "attention").iterdir())
    assert [file.name for file in files] == [f"{name}.geojson" for name in names]
    for file, entry in zip(files, entries, strict=True):
        assert file.read_text() == entry.attention


def test_the_script_and_the_readme_speak_of_the_files_that_are_there(
    entries: tuple[QuPathImage, QuPathImage], tmp_path: Path
) -> None:
    folder = write_qupath_project(tmp_path / "project", entries, now_ms=0).parent
    script = (folder / "scripts" / "import_attention.groovy").read_text()
    used = (folder / "attention" / f"{entries[0].name}.geojson").read_text()
    kind = json.loads(used)["features"][0]["properties"]["classification"]["name"]
    assert f"getPathClass()?.getName() == '{kind}'" in script
    assert "getParentFile(), 'attention')" in script
    assert "entry.getOriginalImageName()" in script
    assert "name + '.geojson'" in script
    readme = (folder / "README.txt").read_text()
    assert len(readme.splitlines()) == 3
    for name in ("project.qpproj", "import_attention"):
        assert name in readme


def test_the_same_again_is_the_same(
    entries: tuple[QuPathImage, QuPathImage], tmp_path: Path
) -> None:
    first = write_qupath_project(tmp_path / "a", entries, now_ms=5)
    second = write_qupath_project(tmp_path / "b", entries, now_ms=5)
    assert first.read_text().replace("/a/project", "/b/project") == second.read_text()


def test_images_are_added_and_what_qupath_keeps_stays(
    entries: tuple[QuPathImage, QuPathImage], tmp_path: Path
) -> None:
    slide, tile = entries
    path = write_qupath_project(tmp_path, [slide], now_ms=5)
    project = json.loads(path.read_text())
    # as QuPath leaves it: turned, renamed, an image of its own, things we know nothing of
    (entry,) = project["images"]
    inside = {**entry["serverBuilder"], "uri": slide.file.as_uri().replace("file:///", "file:/")}
    entry["serverBuilder"] = {"builderType": "rotated", "builder": inside, "rotation": "180"}
    entry |= {"imageName": "my slide", "description": "seen"}
    own = {"entryID": 7, "imageName": "own", "serverBuilder": {"uri": "file:/elsewhere/own.svs"}}
    project |= {"lastID": 7, "classes": ["Tumor"], "images": [entry, own]}
    path.write_text(json.dumps(project))
    saved = tmp_path / "data" / "1" / "data.qpdata"
    saved.parent.mkdir(parents=True)
    saved.write_bytes(b"outlines")
    before = path.read_text()
    assert write_qupath_project(tmp_path, [slide, tile], now_ms=9) == path
    added = json.loads(path.read_text())
    assert added["images"][:2] == project["images"]
    assert (added["images"][2]["entryID"], added["images"][2]["imageName"]) == (8, tile.name)
    assert (added["lastID"], added["classes"]) == (8, ["Tumor"])
    assert (added["createTimestamp"], added["modifyTimestamp"]) == (5, 9)
    assert (tmp_path / "attention" / "my slide.geojson").read_text() == slide.attention
    assert (tmp_path / "attention" / f"{tile.name}.geojson").read_text() == tile.attention
    assert (tmp_path / "project.qpproj.backup").read_text() == before
    assert saved.read_bytes() == b"outlines"


def test_a_name_that_is_taken_and_a_project_of_another_form_are_refused(
    entries: tuple[QuPathImage, QuPathImage], tmp_path: Path
) -> None:
    slide, tile = entries
    path = write_qupath_project(tmp_path, [slide], now_ms=5)
    before = path.read_bytes()
    with pytest.raises(RunError, match="has another image called 'case-1-0'"):
        write_qupath_project(tmp_path, [replace(tile, name=slide.name)], now_ms=6)
    assert path.read_bytes() == before
    for damaged, what in (("{", "is damaged"), ('{"images": [3]}', "is no project as QuPath")):
        path.write_text(damaged)
        with pytest.raises(RunError, match=what):
            write_qupath_project(tmp_path, [slide], now_ms=6)
        assert path.read_text() == damaged


def test_what_qupath_cannot_show_is_refused(
    evidence_of: Callable[..., Evidence], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.zeros((2, 96, 96, 3), np.uint8)
    with (
        open_source(tmp_path / "x.h5#1", "tile") as source,
        pytest.raises(RunError, match="which QuPath cannot show"),
    ):
        qupath_image("a", "a", source, evidence_of(BOXES[:1]))
    with pytest.raises(RunError, match="project without images"):
        write_qupath_project(tmp_path / "project", [], now_ms=0)
    assert not (tmp_path / "project").exists()


@pytest.mark.data
def test_of_a_dicom_folder_qupath_gets_a_file(
    shared: Path, evidence_of: Callable[..., Evidence], tmp_path: Path
) -> None:
    folder = tmp_path / "dicom"
    folder.mkdir()
    shutil.copy(shared / "data/wsi-small/slides/TCGA-XK-AAJU-01A-01-TS1_small.dcm", folder)
    with open_source(folder, "slide") as source:
        entry = qupath_image("a", "a", source, evidence_of(BOXES))
    assert entry.file.is_file()
    assert entry.file.parent == folder.resolve()
    assert entry.reader == "Bio-Formats"


def _file(uri: str) -> Path:
    return Path(url2pathname(urlparse(uri).path))
