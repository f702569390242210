"""Whatever the system refuses, the sentence has the path, the reason and a way out."""

import errno
import os
from pathlib import Path

import h5py
import pytest

from wholecase.core.errors import SourceError
from wholecase.core.files import atomic, refuse_unwritable, write_text
from wholecase.core.hdf5 import open_hdf5
from wholecase.core.os_errors import CURES, sentence_of


@pytest.mark.parametrize("code", sorted(CURES))
def test_every_known_error_names_path_and_cure(code: int) -> None:
    sentence = sentence_of(OSError(code, os.strerror(code), "/a/b.csv"))
    assert sentence.startswith("/a/b.csv: ")
    assert os.strerror(code).lower() in sentence
    assert sentence.endswith(f"; {CURES[code]}")


def test_errors_of_libraries_and_unknown_ones_are_told_in_their_words() -> None:
    locked = OSError(errno.EAGAIN, "Unable to synchronously open file (unable to lock file)")
    assert "another program has it locked" in sentence_of(locked, Path("a.h5"))
    assert sentence_of(locked, Path("a.h5")).startswith("a.h5: ")
    assert sentence_of(OSError("truncated\nin line 3")).startswith("truncated; ")
    assert sentence_of(OSError()).startswith("OSError; ")
    assert sentence_of(FileNotFoundError(errno.ENOENT, "x", b"bytes")).startswith("bytes: no such")


def test_a_full_disk_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def write() -> None:
        with atomic(path) as neighbour:
            neighbour.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as `write` raises it

    with pytest.raises(OSError, match="No space") as refused:
        write()
    assert refused.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_errors_about_other_files_stay_what_they_are(tmp_path: Path) -> None:
    def write() -> None:
        with atomic(tmp_path / "a.csv"):
            (tmp_path / "source").read_text()

    with pytest.raises(FileNotFoundError) as missing:
        write()
    assert missing.value.filename == str(tmp_path / "source")


@pytest.mark.parametrize("name", ["file/below", "x" * 300, "folder"])
def test_places_where_no_file_can_be_are_refused_before_and_when_written(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    before = sorted(tmp_path.iterdir())
    for way in (refuse_unwritable, lambda p: write_text(p, "x")):
        with pytest.raises(OSError, match="Errno") as refused:
            way(path)
        named = refused.value.filename2 or refused.value.filename
        assert named in {str(path), str(path.parent)}
        assert sorted(tmp_path.iterdir()) == before


def test_where_a_file_can_be_nothing_is_left_of_the_trial(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "new" / "folder" / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_hdf5_file_that_is_written_to_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["x"] = [1, 2]
        file.flush()
        with pytest.raises(SourceError, match="another program has it open for writing"):
            open_hdf5(path)
    with open_hdf5(path) as file:
        assert list(file["x"]) == [1, 2]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SourceError, match="damaged or no HDF5 file"):
        open_hdf5(path)
