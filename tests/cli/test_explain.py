"""`wholecase explain`: heatmaps, contact sheets, tables, and a project for QuPath."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys.quick import quick
from wholecase.cli import main
from wholecase.core.errors import RunError
from wholecase.execution import Place
from wholecase.experiment import (
    Settings,
    Summary,
    draw_answer,
    qupath_images,
    run,
    stored_answer,
)
from wholecase.explain import Evidence


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


def test_a_case_of_the_run_as_a_project(
    finished: Summary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "out", tmp_path / "project"
    words = ("explain", finished.run.root, "--case", "c07", "--out", out, "--qupath", folder)
    assert call(*words) == 0
    told = capsys.readouterr().out.split()
    made = [*out.iterdir(), folder / "project.qpproj"]
    assert sorted(told) == sorted(str(path) for path in made)
    for what in ("heatmap.png", "tiles.png", "attention.geojson", "instances.csv"):
        assert len(list(out.glob(f"c07*-{what}"))) == 3
    project = json.loads((folder / "project.qpproj").read_text())
    names = [image["imageName"] for image in project["images"]]
    assert [f"{name}.geojson" for name in names] == sorted(
        path.name for path in (folder / "attention").iterdir()
    )
    for name in names:
        ours = (out / f"{name}-attention.geojson").read_text()
        assert (folder / "attention" / f"{name}.geojson").read_text() == ours
    # a further case joins the first, which keeps its entries
    words = ("explain", finished.run.root, "--case", "c07", "--case", "c08", "--out", out)
    assert call(*words, "--qupath", folder) == 0
    joined = json.loads((folder / "project.qpproj").read_text())
    assert joined["images"][:3] == project["images"]
    assert {image["metadata"]["case"] for image in joined["images"][3:]} == {"c08"}
    capsys.readouterr()
    assert call(*words[:2], "--case", "c99", "--out", tmp_path / "none") == 1
    assert "no case 'c99'" in capsys.readouterr().err
    # images beside cases would be passed over
    assert call(*words[:2], "new.png", "--case", "c07", "--out", tmp_path / "none") == 1
    assert "name either cases of the run, images" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_new_images_share_a_project(finished: Summary, cohort_file: Path, tmp_path: Path) -> None:
    images = [cohort_file.parent / name for name in ("07-0.png", "08-0.png")]
    out, folder = tmp_path / "out", tmp_path / "project"
    words = ("explain", finished.run.root, *images, "--out", out, "--qupath", folder)
    assert call(*words, "--workers", 1) == 0
    project = json.loads((folder / "project.qpproj").read_text())
    assert [image["metadata"]["case"] for image in project["images"]] == ["07-0", "08-0"]
    for image, path in zip(project["images"], images, strict=True):
        assert image["serverBuilder"]["uri"] == path.resolve().as_uri()


def test_a_run_finds_its_manifest_from_any_folder(
    cohort_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    shutil.copytree(cohort_file.parent, home)
    away.mkdir()
    monkeypatch.chdir(home)
    run(
        quick("train.epochs=1"),
        Path("cohort.csv"),
        Settings(out=Path("runs/x"), place=Place(workers=0)),
    )
    monkeypatch.chdir(away)
    case, _ = stored_answer(home / "runs/x", "c07")
    assert all(image.path.resolve().parent == home for image in case.images)
    with (home / "cohort.csv").open("a") as file:
        file.write("c99,p99,07-0.png,mutated,tile\n")
    with pytest.raises(RunError, match=r"cohort.csv of .* was changed since the run"):
        stored_answer(home / "runs/x", "c07")


def test_tables_sheets_and_projects_agree_on_the_order(finished: Summary, tmp_path: Path) -> None:
    case, stored = stored_answer(finished.run.root, "c07")
    # thirty tiles of one image instead of the image whole
    boxes = np.array([[x, y, 16, 16] for x in range(0, 96, 16) for y in range(0, 80, 16)])
    weights = np.random.default_rng(0).dirichlet(np.ones(30))[:, None]
    evidence = Evidence(
        weights=weights,
        scores=np.log(weights),
        image=np.zeros(30, np.int64),
        box_px=boxes,
        position_um=np.zeros((30, 3), np.float32),
        logits=np.repeat(stored.logits[:1], 30, axis=0),
    )
    paths = list(draw_answer(case, evidence, tmp_path, scale="rank", longest_px=96))
    assert len(paths) == 4
    with (tmp_path / paths[3].name).open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["weight"]) for row in rows] == pytest.approx(
        sorted(weights[:, 0], reverse=True)
    )
    (entry,) = qupath_images(case, evidence)
    features = json.loads(entry.attention)["features"]
    corners = [feature["geometry"]["coordinates"][0][0] for feature in features]
    assert corners == [[int(row["x_px"]), int(row["y_px"])] for row in rows]
    with Image.open(paths[1]) as sheet, Image.open(case.images[0].path) as image:
        shown, pixels = np.asarray(sheet).astype(int), np.asarray(image).astype(int)
    # the first tile of the sheet is the first of the table, enlarged
    x, y = corners[0]
    wanted = pixels[y : y + 16, x : x + 16].mean(axis=(0, 1))
    top = np.flatnonzero((shown[:, 14 + 112] < 250).any(axis=1))
    found = next(
        shown[at : at + 224, 14 : 14 + 224].mean(axis=(0, 1))
        for at in top
        if (shown[at : at + 224, 14:238].min(axis=2) < 250).mean() > 0.9
    )
    assert np.abs(found - wanted).max() < 12
