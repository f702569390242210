"""Tensors are read from foreign files; their code is not run."""

import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from wholecase.core.errors import WeightsError
from wholecase.weights import read_state

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


def is_state(read):
    return list(read) == list(STATE) and all(torch.equal(read[k], STATE[k]) for k in STATE)


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model": STATE, "optimizer": {"state": {}}},
        {"epoch": 3, "model": {"state_dict": STATE}},
        {**STATE, "version": 2},
    ],
)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_usual_wrappings(tmp_path, content, suffix):
    file = tmp_path / f"w{suffix}"
    torch.save(content, file)
    assert is_state(read_state(file))


def test_safetensors(tmp_path):
    file = tmp_path / "w.safetensors"
    save_file(STATE, file)
    assert read_state(file).keys() == STATE.keys()


class Trap:
    def __init__(self, sprung):
        self.sprung = sprung

    def __reduce__(self):
        return (open, (str(self.sprung), "w"))


def test_code_is_never_run(tmp_path):
    sprung = tmp_path / "sprung"
    for name, save in [("t.pt", torch.save), ("p.pt", lambda x, f: f.write_bytes(pickle.dumps(x)))]:
        save({"state_dict": STATE, "more": Trap(sprung)}, tmp_path / name)
        with pytest.raises(WeightsError, match=r"code in weight files is never run"):
            read_state(tmp_path / name)
    assert not sprung.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1", b"PK\3\4no"]
)
def test_damage(tmp_path, suffix, content):
    file = tmp_path / f"w{suffix}"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged"):
        read_state(file)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_file_cut_short(tmp_path, suffix):
    file = tmp_path / f"w{suffix}"
    torch.save(STATE, file) if suffix == ".pt" else save_file(STATE, file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(WeightsError, match="damaged"):
        read_state(file)


def test_what_is_no_weight_file(tmp_path):
    torch.save([1, 2], tmp_path / "w.pt")
    for name, match in [
        ("w.pt", "no tensors"),
        ("w.h5", "no weight file"),
        ("v.pt", "there is no"),
    ]:
        with pytest.raises(WeightsError, match=match):
            read_state(tmp_path / name)


def test_an_archive_that_claims_more_than_it_stores_is_refused(tmp_path):
    torch.save({"w": torch.zeros(10**6)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(WeightsError, match=r"packed\.pt is damaged: its archive claims 4000"):
        read_state(tmp_path / "packed.pt")


@pytest.mark.parametrize(
    "head",
    [
        b'{"w":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,16]}}',
        b'{"w":{"dtype":"F99","shape":[4],"data_offsets":[0,16]}}',
        b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}',
        b"[" * 1000,
    ],
)
def test_the_head_of_safetensors_is_held_to_what_is_stored(tmp_path, head):
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + bytes(16))
    with pytest.raises(WeightsError, match=r"x\.safetensors is damaged: .*; fetch it again"):
        read_state(path)


@pytest.mark.parametrize(
    "tensor",
    [torch.ones(1).expand(10**8), torch.eye(3).to_sparse(), torch.empty(3, device="meta")],
)
def test_what_is_no_plain_tensor_is_refused_by_name(tmp_path, tensor):
    torch.save({"fine": torch.ones(2), "strange": tensor}, tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="'strange' is no plain tensor"):
        read_state(tmp_path / "x.pt")
