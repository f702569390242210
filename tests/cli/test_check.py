"""`wholecase check` as a person types it."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from toys.feature_files import trident
from wholecase.cli import main

PATIENTS = 12


def call(*words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


@pytest.fixture
def manifest(tmp_path):
    """Twelve patients, an image each; half of them mutated."""
    lines = ["case_id,patient_id,path,label,kind"]
    for i in range(PATIENTS):
        pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)
        Picture.fromarray(pixels).save(tmp_path / f"{i}.png")
        lines.append(f"c{i},p{i},{i}.png,{('wild-type', 'mutated')[i % 2]},tile")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_sound_cohort_passes_with_its_page(manifest, tmp_path, capsys):
    page = tmp_path / "check.html"
    assert call("check", manifest, "--workers", 2, "--html", page) == 0
    told = capsys.readouterr().out
    assert "No problem found." in told
    assert page.resolve().as_uri() in told
    assert "wholecase" in page.read_text()


def test_all_mistakes_are_told_and_the_rest_is_checked(manifest, tmp_path, capsys):
    with manifest.open("a") as file:
        file.write("x,,0.png,mutated,tile\ny,py,none.png,mutated,tile\nz,pz,1.png,mutated,tyle\n")
    assert call("check", manifest, "--workers", 1) == 1
    told = capsys.readouterr().out
    assert "line 14, column 'patient_id'" in told
    assert "line 16, column 'kind'" in told
    assert "none.png: no such file" in told


def test_a_recipe_adds_its_labels_and_folds(manifest, capsys):
    words = ("check", manifest, "--workers", 1, "--recipe", "egfr-clam")
    assert call(*words) == 0
    told = capsys.readouterr().out
    assert "class 'mutated': patients: 6" in told
    assert "models that a run trains: 5\n" in told
    dear = ("protocol.refit=true", "protocol.inner=3", "protocol.repeats=2")
    assert call(*words, "protocol.folds=7", *dear) == 1
    told = capsys.readouterr().out
    assert "models that a run trains: 56\n" in told
    assert "no division into folds" in told
    assert "patients of class 'wild-type': 6, but 7 folds need 7" in told
    assert call(*words, "cohort.positive=[mutant]") == 1
    told = capsys.readouterr().out
    assert "mistake in the manifest (1)" in told
    assert "'mutated' belongs to no class" in told
    assert "5 more rows are wrong in this way" in told


def test_a_change_without_a_recipe_is_refused(manifest, capsys):
    assert call("check", manifest, "protocol.folds=7") == 1
    assert "--recipe" in capsys.readouterr().err


def test_showing_a_recipe_tries_its_parts(capsys):
    assert call("recipes", "show", "egfr-clam", "cut.side_px=2.5") == 1
    assert "side_px=2.5: it should be a valid integer" in capsys.readouterr().err
    assert call("recipes", "show", "egfr-clam", "encoder.weights=here.pt") == 0
    line = next(row for row in capsys.readouterr().out.splitlines() if "encoder.weights" in row)
    assert str(Path.cwd() / "here.pt") in line


def test_a_cohort_of_which_nothing_can_be_used_would_not_start(manifest, capsys):
    for image in manifest.parent.glob("*.png"):
        image.write_bytes(image.read_bytes()[:60])
    assert call("check", manifest, "--workers", 1) == 1
    told = capsys.readouterr().out
    assert "A run would not start: none of its images can be used." in told
    assert "A run would lose 12 images and 12 cases" in told


def test_the_recipe_names_the_encoder_of_files_that_each_name_it_otherwise(tmp_path, capsys):
    lines = ["case_id,patient_id,path,label,kind"]
    for i in range(PATIENTS):
        values = np.random.default_rng(i).normal(size=(6, 8))
        trident(tmp_path / f"{i}.h5", values, encoder=("uni_v1", "UNI")[i % 2])
        lines.append(f"c{i},p{i},{i}.h5,{('wild-type', 'mutated')[i % 2]},features")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    words = ("check", path, "--workers", 1, "--recipe", "egfr-clam", "encoder=stored")
    assert call(*words) == 1
    assert "mixed feature files" in capsys.readouterr().out
    assert call(*words, "encoder.identity=uni") == 0
    assert "Errors: 0" in capsys.readouterr().out


def test_splits_made_elsewhere_are_looked_at_before_a_run(manifest, tmp_path, capsys):
    rows = manifest.read_text().replace("c9,p9,", "c9,P003,")
    manifest.write_text(rows)
    sides = ["case_id,patient_id,fold,side"]
    for i in range(PATIENTS):
        side = "test" if i < 5 else "train"
        sides.append(f"c{i},{'P003' if i == 9 else f'p{i}'},0,{side}")
    splits = tmp_path / "splits.csv"
    splits.write_text("\n".join(sides) + "\n")
    assert call("check", manifest, "--workers", 1, "--splits", splits) == 1
    told = capsys.readouterr().out
    assert "1 patient is on train and test: p3" in told
    assert re.search(r"0 test +5 +5", told)
