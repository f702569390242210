"""`wholecase cohort` as a person types it: from a folder to a manifest that `check` takes."""

import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.cli import main
from wholecase.cohort import read_cohort


def call(*words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


@pytest.fixture
def draw(tmp_path):
    def draw(*names):
        for i, name in enumerate(names):
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)
            Picture.fromarray(pixels).save(path)
        return tmp_path / "images"

    return draw


def test_tile_folders_to_a_checked_manifest(draw, tmp_path, capsys):
    folder = draw(
        "EGFR_positive/p 1/ä.png",
        "EGFR_positive_aug/p 1/b.png",
        "EGFR_negative/n1/a.png",
        "C-S-EGFR_negative/n2/a.png",
        "EGFR_negative/loose.png",
    )
    out = tmp_path / "cohort.csv"
    assert call("cohort", "tile-folders", folder, "--out", out) == 0
    told = capsys.readouterr().out
    assert "4 images, 3 cases, 3 patients" in told
    assert "EGFR_negative: 2 cases" in told
    assert "1 images lie in no patient's folder" in told
    assert [image.train_only for image in read_cohort(out, None).cases[2].images] == [False, True]
    assert call("check", out, "--workers", 1) == 0
    assert call("cohort", "tile-folders", folder, "--out", out) == 1
    assert "is there already" in capsys.readouterr().err


def test_class_folders(draw, tmp_path, capsys):
    folder = draw("benign/P1-1.png", "benign/P1-2.png", "malignant/P2-1.png")
    out = tmp_path / "cohort.csv"
    words = ("cohort", "class-folders", folder, "--out", out)
    assert call(*words, "--patient-from", "P[0-9]+", "--kind", "still") == 0
    assert "3 images, 2 cases, 2 patients" in capsys.readouterr().out
    assert call("check", out, "--workers", 1) == 0


def test_breakhis_to_a_checked_manifest(draw, tmp_path, capsys):
    folder = draw(
        "SOB_M_DC-14-13412-40-001.png",
        "SOB_M_LC-14-13412-100-001.png",
        "SOB_B_A-14-22549AB-40-001.png",
        "SOB_B_A-14-22549CD-100-001.png",
        "other.png",
    )
    out = tmp_path / "cohort.csv"
    assert call("cohort", "breakhis", folder, "--out", out) == 0
    told = capsys.readouterr().out
    assert "4 images, 2 cases, 2 patients" in told
    assert "patient 14-13412 has the types ductal_carcinoma and lobular_carcinoma" in told
    assert "not called as in BreakHis: other.png" in told
    assert "column 'tumor_type': read only by a recipe that names it" in told
    assert call("check", out, "--workers", 1) == 0
    assert "images by label  patients  with all  40x  100x" in capsys.readouterr().out
    assert call("cohort", "breakhis", folder, "--out", tmp_path / "b.csv", "--letters") == 0
    assert "4 images, 3 cases, 3 patients" in capsys.readouterr().out


def test_slides_with_a_table(draw, tmp_path, capsys):
    folder = draw("TCGA-05-4244-01Z-00-DX1.x.tif", "TCGA-44-2655-01Z-00-DX1.y.tif", "z.tif")
    (tmp_path / "labels.csv").write_text("patient,EGFR\nTCGA-05-4244,yes\nTCGA-44-2655,no\n")
    out = tmp_path / "cohort.csv"
    words = ("cohort", "slides", folder, "--out", out, "--labels", tmp_path / "labels.csv")
    assert call(*words, "--column", "EGFR") == 0
    told = capsys.readouterr().out
    assert "1 slides without a row" in told
    assert "2 images, 2 cases, 2 patients" in told
    assert {case.label for case in read_cohort(out, None).cases} == {"yes", "no"}


def test_drawn_patches_become_a_checked_cohort(tmp_path, capsys):
    folder = tmp_path / "patches"
    assert call("phantom", "patches", folder, "--patches", 40, "--workers", 1) == 0
    assert "wholecase cohort pcam" in capsys.readouterr().out
    out = tmp_path / "cohort.csv"
    assert call("cohort", "pcam", folder, "--out", out) == 0
    told = capsys.readouterr().out
    assert "40 images, 40 cases, 6 patients" in told
    assert "tumor: 20 cases" in told
    assert call("check", out, "--workers", 1) == 0
    assert "0.97 from manifest" in capsys.readouterr().out


def test_patches_without_slides_are_told(tmp_path, capsys):
    folder = tmp_path / "kaggle"
    (folder / "train").mkdir(parents=True)
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)
        Picture.fromarray(pixels).save(folder / "train" / f"a{i}.tif")
    (folder / "train_labels.csv").write_text("id,label\na0,0\na1,1\na2,0\na3,1\n")
    out = tmp_path / "cohort.csv"
    assert call("cohort", "pcam-kaggle", folder, "--out", out) == 0
    told = capsys.readouterr().out
    assert "note: The patients of all 4 cases are unknown" in told
    assert "4 images, 4 cases, patients unknown" in told
    assert call("check", out, "--workers", 1) == 0
