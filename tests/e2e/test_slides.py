"""Drawn slides from file to heatmap, and real ones in their company."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys.quick import quick
from wholecase.cli import main
from wholecase.core.files import read_json
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.phantoms import draw_slides
from wholecase.runs import read_rows


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    return draw_slides(folder, cases=12, seed=3, size_um=(1400.0, 1100.0))


@pytest.fixture(scope="module")
def trained(slides: Path, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    out = tmp_path_factory.mktemp("runs") / "slides"
    recipe = quick("protocol.folds=2", "train.epochs=4")
    return run(recipe, slides, Settings(out=out, place=Place(workers=0)))


def test_slides_are_judged_and_localisation_is_measured(trained: Summary) -> None:
    told = trained.metrics["pooled"]
    assert told["auroc"]["n"] == len({r["patient_id"] for r in read_rows(trained.run.cases)})
    assert 0 <= told["localisation_auc"]["value"] <= 1
    rows = read_rows(trained.run.root / "localisation.csv")
    positives = [r for r in read_rows(trained.run.cases) if r["label"] == "mutated"]
    assert len(rows) == len(positives) == 6


def test_a_slide_has_a_heatmap_with_its_own_proportions(trained: Summary) -> None:
    case = read_rows(trained.run.cases)[0]["case_id"]
    with Image.open(trained.run.picture(case, "heatmap.jpg")) as picture:
        painted = np.asarray(picture.convert("RGB"))
    with Image.open(trained.run.picture(case, "thumbnail.jpg")) as picture:
        assert painted.shape[1] == picture.width
        assert painted.shape[0] >= picture.height
    # six epochs teach little, so that tiles say little; the legend has its colours all the same
    assert (np.ptp(painted, axis=2) > 40).mean() > 0.002


@pytest.mark.data
def test_a_real_slide_from_file_to_heatmap_by_a_model_of_drawn_ones(
    trained: Summary, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = shared / "data/wsi-small/slides/CMU-1-Small-Region.svs"
    with pytest.raises(SystemExit) as left:
        main(["explain", str(trained.run.root), str(slide), "--out", str(tmp_path)])
    assert not left.value.code
    (table,) = tmp_path.glob("*-instances.csv")
    (heatmap,) = tmp_path.glob("*-heatmap.png")
    weights = [float(row["weight"]) for row in read_rows(table)]
    assert sum(weights) == pytest.approx(1, abs=1e-4)
    assert weights == sorted(weights, reverse=True)
    with Image.open(heatmap) as picture:
        assert picture.width > 1000


@pytest.mark.data
def test_every_real_slide_is_predicted_or_refused_with_the_true_reason(
    trained: Summary, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.csv"
    cohort = shared / "data/wsi-small/cohort.csv"
    with pytest.raises(SystemExit) as left:
        main(["predict", str(trained.run.root), "--cohort", str(cohort), "--out", str(out)])
    assert left.value.code == 2
    told = capsys.readouterr().out
    assert [row["case_id"] for row in read_rows(out)] == ["CMU-1-Small-Region"]
    assert "28.9685 µm/px" in told
    # OpenSlide refuses this one; its frames are read, and its two spacings contradict each other
    assert "4.63535 x 5.68613 µm" in told
    assert "column mpp" in told


@pytest.mark.slow
def test_bad_slides_cost_one_case_each_and_say_why(slides: Path, tmp_path: Path) -> None:
    rows = slides.read_text().splitlines()
    folder = slides.parent
    made = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[2] = str(folder / cells[2])
        cells[6] = str(folder / cells[6]) if cells[6] else ""
        made.append(",".join(cells))
    blank = np.full((2048, 2048, 3), 244, np.uint8)
    import tifffile

    options = {"tile": (256, 256), "photometric": "rgb", "compression": "jpeg"}
    spacing = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "blank.tif", blank, **options, **spacing)
    tissue = np.random.default_rng(0).integers(90, 200, (1024, 1024, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "unspaced.tif", tissue, **options)
    (tmp_path / "text.svs").write_text("not a slide")
    (tmp_path / "empty.svs").write_bytes(b"")
    whole = Path(made[1].split(",")[2]).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    bad = ("blank.tif", "unspaced.tif", "text.svs", "empty.svs", "cut.tif", "missing.svs")
    for i, name in enumerate(bad):
        made.append(f"bad{i},badpatient{i},{tmp_path / name},mutated,slide,north,")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(made) + "\n")
    recipe = quick("protocol.folds=2", "train.epochs=2")
    summary = run(
        recipe, path, Settings(out=tmp_path / "run", place=Place(workers=2), tolerated=0.5)
    )
    assert summary.cases_out == len(bad)
    assert len(read_rows(summary.run.predictions)) == 12
    told = {
        Path(r["path"]).name: (r["stage"], r["reason"]) for r in read_rows(summary.run.exclusions)
    }
    assert told["blank.tif"][0] == "tissue"
    sheet = {entry["image"]: entry for entry in read_json(summary.run.tissue)}
    assert sheet["blank.tif"]["instances"] == 0
    assert len(sheet) == 13, "every slide in which tissue was looked for is on the sheet"
    assert all((summary.run.root / entry["picture"]).is_file() for entry in sheet.values())
    assert told["unspaced.tif"][0] == "spacing"
    assert "mpp" in told["unspaced.tif"][1]
    assert told["text.svs"][0] == told["empty.svs"][0] == told["missing.svs"][0] == "open"
    assert told["cut.tif"][0] in {"open", "read"}
    assert all(name in reason for name, (_, reason) in told.items())
