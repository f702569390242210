"""Tensor files are read as torch reads them, and what only they claim is never allocated."""

import io
import pickle
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from wholecase.core.errors import SourceError
from wholecase.core.tensor_file import read_tensor_file, tensor_shape

PLAIN = torch.arange(600, dtype=torch.float32).reshape(30, 20) / 7
KEPT = {
    "singles": PLAIN,
    "doubles": PLAIN.double(),
    "halves": PLAIN.half(),
    "brain halves": PLAIN.bfloat16(),
    "whole numbers": PLAIN.long(),
    "bytes": PLAIN.to(torch.uint8),
    "turned": PLAIN.T,
    "part of a larger one": PLAIN[3:9, ::2],
    "empty": PLAIN[:0],
    "one number": PLAIN[3, 4],
}


def saved(path: Path, content: object, *, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "before torch 1.6"])
@pytest.mark.parametrize("kept", KEPT)
def test_it_reads_what_torch_reads(tmp_path, kept, legacy):
    path = saved(tmp_path / "x.pt", KEPT[kept], legacy=legacy)
    theirs = torch.load(path, weights_only=True)
    ours = read_tensor_file(path)
    assert tensor_shape(path) == tuple(theirs.shape) == ours.shape
    np.testing.assert_array_equal(ours, theirs.to(torch.float64).numpy())


def changed(path: Path, edit, packing: int = zipfile.ZIP_STORED) -> Path:
    """The archive with the content of its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: edit(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def more_numbers(content: bytes) -> bytes:
    """The pickle with 1.5 billion numbers in its storage instead of 600."""
    count = b"M" + struct.pack("<H", 600)
    assert content.count(count) == 1
    return content.replace(count, b"J" + struct.pack("<i", 1_500_000_000))


def claiming(path: Path) -> Path:
    def edit(name: str, content: bytes) -> bytes:
        return more_numbers(content) if name.endswith("data.pkl") else content

    return changed(saved(path, PLAIN), edit)


def claiming_in_the_old_way(path: Path) -> Path:
    path = saved(path, PLAIN, legacy=True)
    path.write_bytes(more_numbers(path.read_bytes()))
    return path


def repeating(path: Path) -> Path:
    return saved(path, torch.ones(1, 20).expand(10**9, 20))


def repeating_in_one_direction(path: Path) -> Path:
    return saved(path, torch.as_strided(PLAIN.clone(), (10, 20), (0, 1)))


def sparse(path: Path) -> Path:
    return saved(path, PLAIN.to_sparse())


def in_a_dictionary(path: Path) -> Path:
    return saved(path, {"features": PLAIN})


def a_list(path: Path) -> Path:
    return saved(path, [PLAIN])


def without_its_numbers(path: Path) -> Path:
    return changed(saved(path, PLAIN), lambda name, c: b"" if "/data/" in name else c)


def of_packed_zeros(path: Path) -> Path:
    zeros = saved(path, torch.zeros(2**20))
    return changed(zeros, lambda _, content: content, zipfile.ZIP_DEFLATED)


def with_one_bit_flipped(path: Path) -> Path:
    content = bytearray(saved(path, PLAIN).read_bytes())
    content[content.index(struct.pack("<f", 77 / 7))] ^= 1
    path.write_bytes(content)
    return path


def cut_off(path: Path) -> Path:
    content = saved(path, PLAIN, legacy=True).read_bytes()
    path.write_bytes(content[:-200])
    return path


def of_another_machine(path: Path) -> Path:
    return changed(saved(path, PLAIN), lambda n, c: b"big" if n.endswith("byteorder") else c)


def asking_for_memory(path: Path) -> Path:
    pickled = pickle.PROTO + b"\x02N" + pickle.LONG_BINPUT + struct.pack("<I", 2**31 - 1) + b"."
    return changed(saved(path, PLAIN), lambda n, c: pickled if n.endswith("data.pkl") else c)


def no_archive_of_tensors(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "no")
    return path


def text(path: Path) -> Path:
    path.write_text("no tensor")
    return path


def empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (claiming, "stores 2400 bytes"),
        (claiming_in_the_old_way, "stores 2400 bytes"),
        (repeating, "it claims 1000000000 x 20 of 20 numbers"),
        (repeating_in_one_direction, "it claims 10 x 20"),
        (sparse, "it holds torch._utils._rebuild_sparse_tensor"),
        (in_a_dictionary, "it holds a dict"),
        (a_list, "it holds a list"),
        (without_its_numbers, "stores 0 bytes"),
        (of_packed_zeros, "claims"),
        (with_one_bit_flipped, "CRC"),
        (cut_off, "stores 2200 bytes"),
        (of_another_machine, "another machine"),
        (asking_for_memory, "asks for too much memory"),
        (no_archive_of_tensors, "no pickle in it"),
        (text, "not the bare tensor"),
        (empty, "not the bare tensor"),
    ],
)
def test_a_lie_is_a_sentence_and_costs_no_memory(tmp_path, lie, said):
    path = lie(tmp_path / "x.pt")
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match=said) as caught:
        read_tensor_file(path)
    assert str(caught.value).startswith(f"{path}: damaged, or not the bare tensor")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 200_000  # kB


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("legacy", [False, True])
def test_code_is_not_run(tmp_path, legacy):
    path = saved(tmp_path / "x.pt", Trap(tmp_path / "sprung"), legacy=legacy)
    with pytest.raises(SourceError, match=r"it holds _?io\.open"):
        read_tensor_file(path)
    plain = io.BytesIO(pickle.dumps(Trap(tmp_path / "sprung")))
    (tmp_path / "y.pt").write_bytes(plain.getvalue())
    with pytest.raises(SourceError, match=r"it holds _?io\.open"):
        read_tensor_file(tmp_path / "y.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_and_a_device_say_so(tmp_path):
    for path in (tmp_path / "none.pt", tmp_path, Path("/dev/zero")):
        with pytest.raises(SourceError, match=r"no such file|not a file"):
            read_tensor_file(path)
