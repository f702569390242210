"""The sidecar is believed where it speaks of this very file."""

import hashlib
import json

import pytest

from wholecase.core.errors import WeightsError
from wholecase.weights import read_sidecar, weight_file

CONTENT = b"tensors"
SIDECAR = {"library": "timm", "name": "resnet50", "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(CONTENT)
    return path


def write_sidecar(file, **changes):
    file.with_suffix(".json").write_text(json.dumps({**SIDECAR, **changes}))


def test_a_file_alone(file):
    found = weight_file(file)
    assert (found.sha256, found.sidecar) == (SIDECAR["sha256"], None)


def test_with_its_sidecar(file):
    write_sidecar(file, mean=[0.5, 0.5, 0.25], later="fields are let pass")
    sidecar = weight_file(file).sidecar
    assert (sidecar.name, sidecar.mean, sidecar.std) == ("resnet50", (0.5, 0.5, 0.25), None)


def test_another_file_than_the_sidecars(file):
    write_sidecar(file, sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"not the file that w\.json speaks of"):
        weight_file(file)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"mean": [1, 2]}, "mean"), ({"width": 0}, "width"), ({"name": 3}, "name")],
)
def test_a_wrong_sidecar_names_its_field(file, changes, named):
    write_sidecar(file, **changes)
    with pytest.raises(WeightsError, match=rf"w\.json: {named}"):
        weight_file(file)


def test_a_sidecar_that_is_no_json(file):
    file.with_suffix(".json").write_text("{")
    with pytest.raises(WeightsError, match="correct or remove it"):
        read_sidecar(file)


def test_no_file(tmp_path):
    with pytest.raises(WeightsError, match="there is no weight file"):
        weight_file(tmp_path / "w.pt")


@pytest.mark.data
def test_the_real_file_is_the_one_its_sidecar_speaks_of(shared):
    folder = shared / "weights/mobilenetv2-imagenet"
    found = weight_file(folder / "mobilenetv2_100_imagenet.safetensors")
    assert (found.sidecar.width, found.sidecar.arguments) == (1280, {"pad_type": "same"})
