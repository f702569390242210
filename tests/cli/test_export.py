"""`wholecase export`: the file and what stands beside it say what the run's models say."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from wholecase.answer import load_run
from wholecase.assemble import model_of
from wholecase.cli import main
from wholecase.core.digest import file_digest
from wholecase.core.files import write_json
from wholecase.models import Batch, predict, save_model
from wholecase.models.export import run_onnx
from wholecase.models.quantise import halves
from wholecase.recipes import read_recipe, recipe_text
from wholecase.runs import SCHEMA, RunFolder

SMALL = [
    "cut.side_px=16",
    "model.backbone.channels=[4, 6]",
    "model.aggregator.inner=4",
    "model.head.hidden=[4]",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run on pixels with two folds, as small as it can be."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    recipe = read_recipe("pcam-attention", SMALL)
    folder.recipe.write_text(recipe_text(recipe))
    for number, (temperature, threshold) in enumerate([(1.5, 0.3), (0.7, 0.5)]):
        model = model_of(recipe, 3, 2, number)
        with torch.no_grad():
            model.head.judge.last.weight.mul_(30)
        save_model(folder.fold(number).model, model, {})
        chosen = {"temperature": temperature, "threshold": threshold}
        write_json(folder.fold(number).choices, chosen)
    facts = {
        "schema": SCHEMA,
        "recipe": recipe.recipe,
        "title": recipe.title,
        "classes": ["normal", "tumor"],
        "encoder": {"identity": {}, "width": 3},
        "cut": {"name": "whole", "side_px": 16},
        "instance": {"side_px": 16, "spacing_um": 0.97},
    }
    write_json(folder.facts, facts)
    return folder.root


def export(*arguments: object) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["export", *map(str, arguments)])
    assert stopped.value.code == 0


def patches(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    level = rng.integers(0, 200, (count, 1, 1, 3))
    return (level + rng.integers(0, 56, (count, 16, 16, 3))).astype(np.uint8)


def test_that_predict_looks_several_times_is_told(run: Path, tmp_path, capsys) -> None:
    folder = RunFolder(Path(shutil.copytree(run, tmp_path / "run")))
    recipe = read_recipe("pcam-attention", [*SMALL, "views=flips"])
    folder.recipe.write_text(recipe_text(recipe))
    export(folder.root, "--onnx", tmp_path / "m.onnx")
    (note,) = json.loads((tmp_path / "m.json").read_text())["notes"]
    assert "means over several views of a case (views: flips)" in note
    assert f"note: {note}" in capsys.readouterr().out


def test_all_folds_with_eight_bits(run: Path, tmp_path, capsys) -> None:
    np.save(tmp_path / "patches.npy", patches(20))
    export(run, "--onnx", tmp_path / "m.onnx", "--int8", tmp_path / "patches.npy")
    facts = json.loads((tmp_path / "m.json").read_text())
    assert facts["classes"] == ["normal", "tumor"]
    assert facts["folds"] == [0, 1]
    assert facts["temperatures"] == [1.5, 0.7]
    assert facts["threshold"] == 0.4
    assert facts["input"]["shape"] == ["N", 3, 16, 16]
    assert facts["spacing_um"] == 0.97
    assert set(facts["files"]) == {"m.onnx", "m.int8.onnx"}
    for name, file in facts["files"].items():
        assert file["digest"] == file_digest(tmp_path / name)
    given = np.ascontiguousarray(patches(20).transpose(0, 3, 1, 2)[halves(20)[1]])
    off = np.abs(
        run_onnx(tmp_path / "m.int8.onnx", given)[0] - run_onnx(tmp_path / "m.onnx", given)[0]
    )
    small = facts["files"]["m.int8.onnx"]
    assert (small["difference"], small["mean"]) == pytest.approx((off.max(), off.mean()))
    assert small["held_back"] == 10
    assert facts["files"]["m.onnx"]["difference"] <= 1e-5
    told = capsys.readouterr().out
    assert f"{facts['files']['m.onnx']['bytes']:,} bytes, within" in told
    assert "on 10 patches its probabilities differ by" in told

    values = np.ascontiguousarray(patches(3).transpose(0, 3, 1, 2))
    batch = Batch(torch.from_numpy(values), torch.arange(4), ("a", "b", "c"), ("a", "b", "c"))
    rows = [
        member.choices.calibrated(predict(member.model, [batch]))
        for member in load_run(run, "cpu").members
    ]
    np.testing.assert_allclose(
        run_onnx(tmp_path / "m.onnx", values)[0], np.mean(rows, 0), atol=1e-5
    )


def test_one_fold_is_that_folds_model(run: Path, tmp_path) -> None:
    export(run, "--onnx", tmp_path / "one.onnx", "--fold", 1)
    facts = json.loads((tmp_path / "one.json").read_text())
    assert (facts["folds"], facts["temperatures"], facts["threshold"]) == ([1], [0.7], 0.5)
    assert set(facts["files"]) == {"one.onnx"}, "eight bits are written where they are asked for"
    values = np.ascontiguousarray(patches(3).transpose(0, 3, 1, 2))
    batch = Batch(torch.from_numpy(values), torch.arange(4), ("a", "b", "c"), ("a", "b", "c"))
    member = load_run(run, "cpu").members[1]
    rows = member.choices.calibrated(predict(member.model, [batch]))
    np.testing.assert_allclose(run_onnx(tmp_path / "one.onnx", values)[0], rows, atol=1e-5)


def wrong_files(folder: Path) -> None:
    np.save(folder / "small.npy", patches(20)[:, :8])
    np.save(folder / "floats.npy", patches(20).astype(np.float32))
    np.save(folder / "few.npy", patches(15))
    np.savez(folder / "several.npz", a=patches(20))
    (folder / "text.npy").write_text("patches")
    (folder / "empty.npy").touch()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--fold", "7"], "has no fold 7; it has 0, 1"),
        (["--int8", "small.npy"], "--int8 needs uint8 patches [M, 3, 16, 16]"),
        (["--int8", "floats.npy"], "holds float32 [20, 16, 16, 3]; --int8 needs uint8"),
        (["--int8", "few.npy"], "eight bits need 16 patches or more to be set, not 15"),
        (["--int8", "several.npz"], "is no .npy file of one array"),
        (["--int8", "text.npy"], "is no .npy file of one array"),
        (["--int8", "empty.npy"], "is no .npy file of one array"),
        (["--int8", "none.npy"], "none.npy: no such file"),
        (["--onnx", "m.json"], "ends in .onnx, not 'm.json'"),
    ],
)
def test_wrong_wishes_are_told_and_leave_nothing(
    run: Path, tmp_path, capsys, monkeypatch, wrong: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong_files(tmp_path)
    before = set(tmp_path.iterdir())
    onnx = [] if "--onnx" in wrong else ["--onnx", "m.onnx"]
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(run), *onnx, *wrong])
    assert stopped.value.code == 1
    assert told in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before


def test_a_recipe_that_decides_slices_takes_a_patient_in_hounsfield_units(tmp_path) -> None:
    changed = [
        "cut.side_px=16",
        "model.backbone={name: small_cnn, channels: [4]}",
        "model.head={name: binary, hidden: [4], dropout: 0.0}",
        "train.stages=[]",
    ]
    folder, recipe = RunFolder(tmp_path / "run"), read_recipe("brain-mets-ct", changed)
    folder.root.mkdir()
    folder.recipe.write_text(recipe_text(recipe))
    save_model(folder.fold(0).model, model_of(recipe, 1, 2, 0), {})
    write_json(folder.fold(0).choices, {"temperature": 1.3, "threshold": 0.4})
    facts = {"recipe": recipe.recipe, "title": recipe.title, "classes": ["none", "metastasis"]}
    encoder = {"identity": {}, "width": 1, "pixels": "ct"}
    write_json(folder.facts, {"schema": SCHEMA, **facts, "encoder": encoder})
    export(folder.root, "--onnx", tmp_path / "m.onnx")
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["input"]["shape"] == ["T", 1, 16, 16]
    assert (told["input"]["name"], told["input"]["type"]) == ("slices", "float32")
    assert "Hounsfield units as they are" in told["input"]["meaning"]
    assert told["outputs"] == ["probabilities", "slice_probabilities", "weights"]
    values = np.random.default_rng(0).normal(40, 30, (5, 1, 16, 16)).round().astype(np.int16)
    patient, alone, weights = run_onnx(tmp_path / "m.onnx", values.astype(np.float32))
    (member,) = load_run(folder.root, "cpu").members
    batch = Batch(torch.from_numpy(values), torch.tensor([0, 5]), ("a",), ("a",))
    expected = member.choices.calibrated(predict(member.model, [batch]))
    np.testing.assert_allclose(patient, expected, atol=1e-5)
    assert alone[weights.argmax(), 1] == pytest.approx(patient[0, 1], abs=1e-5)
    with pytest.raises(SystemExit):
        main(["export", str(folder.root), "--onnx", "x.onnx", "--int8", "patches.npy"])
