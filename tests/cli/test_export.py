"""`wholecase export`: the file and what stands beside it say what the run's models say."""

import json
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
    told = capsys.readouterr().out
    assert f"{facts['files']['m.onnx']['bytes']:,} bytes, within" in told
    assert "on 10 patches its probabilities differ by" in told

    values = np.ascontiguousarray(patches(3).transpose(0, 3, 1, 2))
    batch = Batch(torch.from_numpy(values), torch.arange(4), ("a", "b", "c"), ("a", "b", "c"))
    rows = [
        member.choices.calibrated(predict(member.model, [batch]).probabilities)
        for member in load_run(run, "cpu").members
    ]
    np.testing.assert_allclose(
        run_onnx(tmp_path / "m.onnx", values)[0], np.mean(rows, 0), atol=1e-5
    )


def test_wrong_wishes_are_told(run: Path, tmp_path, capsys) -> None:
    np.save(tmp_path / "patches.npy", patches(20)[:, :8])
    for wrong, told in (
        (["--fold", "7"], "has no fold 7; it has 0, 1"),
        (["--int8", tmp_path / "patches.npy"], "--int8 needs uint8 patches [M, 3, 16, 16]"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["export", str(run), "--onnx", str(tmp_path / "m.onnx"), *map(str, wrong)])
        assert stopped.value.code == 1
        assert told in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()
