"""A run of pixels at three magnifications: what it says of views, and what it draws of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wholecase.answer import CaseBag, FoldModel, Reading
from wholecase.answer.bags import example_of
from wholecase.assemble import model_of
from wholecase.cohort import Case
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, draw_answer, run, stored_answer
from wholecase.experiment.exchanged import _sets, _told
from wholecase.recipes import Recipe, read_recipe
from wholecase.training import Choices, past

CHANGES = (
    "model.backbone.scales=[40,100,200]",
    "model.backbone.network={name: attended, network: {name: small_cnn, channels: [4, 8]}}",
    "model.aggregator={name: cross_magnification, scales: [40, 100, 200], inner: 8, heads: 2}",
    "model.head.hidden=[]",
    "cut.side_px=24",
    "protocol.folds=2",
    "train.epochs=1",
    "train.augment={}",
    "views.sets=3",
    "evaluate={bootstrap: 100, pictures: 2}",
)


def recipe(*more: str) -> Recipe:
    return read_recipe("breakhis-mmnet", [*CHANGES, *more])


@pytest.fixture(scope="session")
def of_scales(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Twelve patients with two images of each magnification; one has but one image, and no 200."""
    folder = tmp_path_factory.mktemp("scales")
    rng = np.random.default_rng(0)
    rows = ["case_id,patient_id,path,label,kind,magnification"]
    for number in range(12):
        label = ("benign", "malignant")[number % 2]
        for power in (40,) if number == 0 else (40, 100, 200):
            for shot in range(1 if number == 0 else 2):
                name = f"{number}-{power}-{shot}.png"
                pixels = rng.integers(80, 160, (24, 24, 3)) + 60 * (number % 2)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
                rows.append(f"c{number},p{number},{name},{label},still,{power}")
    cohort = folder / "cohort.csv"
    cohort.write_text("\n".join(rows) + "\n")
    return run(recipe(), cohort, Settings(out=folder / "run", place=Place(workers=0)))


@pytest.mark.slow
def test_each_scale_has_its_share_and_what_is_lost_without_it(of_scales: Summary) -> None:
    metrics = json.loads(of_scales.run.metrics.read_text())
    assert set(metrics["importance"]) == {"40", "100", "200"}
    for one in metrics["importance"].values():
        assert one["lost"]["n"] == 12
        assert -1 <= one["lost"]["value"] <= 1
    assert metrics["scales_shuffled"]["value"] is not None
    assert any(note.startswith("AUROC that is lost when") for note in metrics["notes"])


@pytest.mark.slow
def test_grad_cam_of_each_magnification_stands_in_a_row(of_scales: Summary, tmp_path: Path) -> None:
    shown = json.loads(of_scales.run.pictures.read_text())
    for case, files in shown.items():
        assert ("scales" in files) == (case != "c0"), "one view is no row"
    with_row = next(files for files in shown.values() if "scales" in files)
    with Image.open(of_scales.run.root / with_row["scales"]) as row:
        assert row.size == (3 * 384 + 2 * 10, 384 + 30)
    assert "at each magnification" in of_scales.run.report.read_text()
    case, evidence = stored_answer(of_scales.run.root, "c1")
    drawn = [p.name for p in draw_answer(case, evidence, tmp_path, scale="auto", longest_px=64)]
    assert drawn[0] == "c1-magnifications.png"


def test_what_lies_behind_the_network_gives_the_answer_that_was_judged() -> None:
    scale = np.array([40, 40, 100, 200, 200], np.float32)
    pixels = np.random.default_rng(1).integers(0, 255, (5, 24, 24, 3)).astype(np.uint8)
    bag = CaseBag(
        values=pixels,
        scale=scale,
        position_um=np.full((5, 3), np.nan, np.float32),
        box_px=np.tile([0, 0, 24, 24], (5, 1)),
        image=np.arange(5),
    )
    asked = Case("c", "p", ())
    reading = Reading(asked, bag, example_of(asked, bag))
    member = FoldModel(0, recipe(), model_of(recipe(), 3, 2, 1), Choices(1.7, 0.5))
    said = member.judge(reading, full=False)
    (told,) = _told(member, _sets(member, [past(member.model, reading.example)]))
    np.testing.assert_allclose(told, said.probabilities, atol=1e-6)
