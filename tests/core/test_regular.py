"""Devices, pipes and impossible names are told in a sentence wherever a path is opened."""

import os
import socket
from pathlib import Path

import pytest

from wholecase.cohort import Cohort, read_cohort, read_splits
from wholecase.core.digest import file_digest
from wholecase.core.errors import SourceError, WholecaseError
from wholecase.core.geojson import read_polygons
from wholecase.core.regular import is_folder, is_there, why_irregular
from wholecase.core.tensor_file import read_tensor_file
from wholecase.features import glance_foreign
from wholecase.recipes import read_recipe
from wholecase.runs import read_rows
from wholecase.sources import SOURCES, fingerprint, members, open_source
from wholecase.weights import weight_file

SYSTEM = [Path("/dev/zero"), Path("/dev/full"), Path("/proc/self/environ"), Path("/proc/kmsg")]
CANNOT_BE = [Path("a\0b.png"), Path("x" * 300 + ".png"), Path("/".join(["deep"] * 3000))]


def no_files(folder: Path) -> list[Path]:
    """One of each kind that this system has; their names end as `open_source` likes."""
    found = [path for path in SYSTEM if path.exists()]
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
        found.append(folder / "pipe.png")
        (folder / "link.png").symlink_to(folder / "pipe.png")
        found.append(folder / "link.png")
    return found + [folder / path for path in CANNOT_BE]


def test_each_kind_has_its_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes by name")
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        told = {name: why_irregular(Path(name)) or "" for name in ("pipe", "socket", "/dev/null")}
    assert [why.split(",")[0] for why in told.values()] == ["a pipe", "a socket", "a device"]
    assert "running system" in (why_irregular(Path("/proc/self/maps")) or "")
    assert "NUL byte" in (why_irregular(Path("a\0b")) or "")
    assert "shorten it" in (why_irregular(Path("x" * 5000)) or "")
    (tmp_path / "file").touch()
    assert why_irregular(tmp_path / "file") is why_irregular(tmp_path / "gone") is None


def test_names_that_cannot_be_are_not_there(tmp_path):
    assert not any(is_there(path) or is_folder(path) for path in CANNOT_BE)
    assert is_folder(tmp_path)


@pytest.mark.parametrize("kind", SOURCES)
def test_no_image(tmp_path, kind):
    for path in no_files(tmp_path):
        with pytest.raises(SourceError, match=r"not a file|NUL byte|shorten it"):
            open_source(path, kind)


def test_no_content(tmp_path):
    for path in no_files(tmp_path):
        for ask in (fingerprint, members):
            with pytest.raises(SourceError, match=r"not a file|NUL byte|shorten it"):
                ask(path)
        with pytest.raises(OSError, match=r"not a file|NUL byte|shorten it"):
            file_digest(path)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_cohort(path, None),
        lambda path: read_splits(path, Cohort(path, (), ())),
        lambda path: read_recipe(str(path.with_suffix(".yaml"))),
        read_polygons,
        read_rows,
        glance_foreign,
        lambda path: open_source(path.with_name(f"{path.name[:300]}.h5#3"), "tile"),
        weight_file,
        read_tensor_file,
    ],
    ids=[
        "manifest",
        "splits",
        "recipe",
        "outline",
        "rows",
        "features",
        "picture",
        "weights",
        "tensor",
    ],
)
def test_nothing_else_hangs(tmp_path, read):
    for path in no_files(tmp_path):
        with pytest.raises(WholecaseError) as caught:
            read(path)
        assert len(str(caught.value)) < 20_000


def test_names_cannot_steer_the_terminal(tmp_path):
    name = "a\x1b[2Kgood\u202egnp.png"
    with pytest.raises(SourceError, match="no such file") as caught:
        open_source(tmp_path / name, "tile")
    assert r"a\x1b[2Kgood\u202egnp.png" in str(caught.value)
