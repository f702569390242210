"""Pieces of a file at any position."""

import os
from contextlib import closing

import pytest

from wholecase.sources.bytes_of import BytesOf

CONTENT = bytes(range(200))


@pytest.fixture(params=["by position", "in turn"])
def file(request, tmp_path, monkeypatch):
    if request.param == "in turn":  # as on Windows
        monkeypatch.delattr(os, "pread", raising=False)
    (tmp_path / "a").write_bytes(CONTENT)
    one = BytesOf(tmp_path / "a")
    yield one
    one.close()


def test_a_piece_is_what_lies_there_in_any_order(file):
    for offset, length in [(90, 20), (0, 5), (190, 10), (7, 0)]:
        assert file.read(offset, length) == CONTENT[offset : offset + length]
    for offset, length in [(190, 11), (300, 1), (0, 2**40)]:
        with pytest.raises(EOFError, match=f"within the {length} bytes at {offset}"):
            file.read(offset, length)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows has no reading by position")
def test_a_disk_that_gives_some_bytes_at_a_time_gives_them_all(tmp_path, monkeypatch):
    whole = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, at: whole(fd, min(length, 7), at))
    (tmp_path / "a").write_bytes(CONTENT)
    with closing(BytesOf(tmp_path / "a")) as file:
        assert file.read(3, 100) == CONTENT[3:103]
