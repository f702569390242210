"""Cases that are added to the memory of a run: they vote from then on, and no figure changes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wholecase.answer import load_run
from wholecase.cli import main
from wholecase.core.errors import ManifestError, RunError
from wholecase.core.files import read_json
from wholecase.execution import Place
from wholecase.experiment import Summary, add_to_gallery, ask, question_of
from wholecase.experiment.gallery import undo_gallery
from wholecase.models import Batch, predict
from wholecase.models.export import run_onnx
from wholecase.models.heads.nearest_cases import codes
from wholecase.runs import RunFolder, read_rows

PLACE = Place(workers=0)


def typed(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    with pytest.raises(SystemExit) as left:
        main([*map(str, words), "--device", "cpu", "--workers", "1"])
    assert not left.value.code
    return capsys.readouterr().out


@pytest.fixture
def copied(neighbours: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(neighbours.root, tmp_path / "run")))


@pytest.fixture
def further(cohort_file: Path, tmp_path: Path) -> Path:
    """Of a new patient, of one that a fold judges, a copy, and a known name."""
    rows = ["case_id,patient_id,path,label,kind"]
    for case, patient, of, mirrored in (
        *(("new", "q1", "03-0", True), ("of-p05", "P5", "05-0", True)),
        *(("copy", "q2", "07-0", False), ("C09", "q3", "09-0", True)),
    ):
        pixels = np.asarray(Image.open(cohort_file.parent / f"{of}.png"))
        Image.fromarray(pixels[:, ::-1] if mirrored else pixels).save(tmp_path / f"{case}.png")
        rows.append(f"{case},{patient},{case}.png,mutated,tile")
    path = tmp_path / "further.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def asked_about(folder: RunFolder, further: Path, store: Path) -> dict[str, tuple[int, list[str]]]:
    said = ask(question_of(folder.root, cohort=further), store=store, place=PLACE)
    return {one.case.id: (len(one.neighbours), [one.seen, *said.notes]) for one in said.judgements}


def test_they_vote_are_told_and_can_be_taken_back(
    copied: RunFolder, further: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = tmp_path / "features"
    kept = {path: path.read_bytes() for path in copied.root.glob("folds/*/*")}
    judged = copied.predictions.read_bytes()
    before = asked_about(copied, further, store)
    told = typed(capsys, "gallery", "add", copied.root, further, "--store", store)
    sides = {(r["patient_id"], r["side"]): r["fold"] for r in read_rows(copied.splits)}
    judge = sides["p05", "test"]
    assert "1 cases added to the memory of all models" in told
    assert f"left out: of-p05: its patient is judged by fold {judge}, " in told
    assert "left out: copy: the run knows a file of it under another name" in told
    assert "left out: C09: the run knows a case of that name" in told
    (addition,) = read_json(copied.gallery)["additions"]
    assert [(one["case_id"], one["folds"]) for one in addition["cases"]] == [
        ("new", [0, 1]),
        ("of-p05", [1 - int(judge)]),
    ]
    after = asked_about(copied, further, store)
    assert before["new"][1] == [""]
    assert after["new"][1][0] == "file", "what was added is known, and in no external metric"
    assert "2 cases of further.csv (digest " in after["new"][1][1]
    assert "further.csv, digest" in copied.report.read_text()
    # nothing of the run itself has changed
    assert {path: path.read_bytes() for path in copied.root.glob("folds/*/*")} == kept
    assert copied.predictions.read_bytes() == judged
    with pytest.raises(RunError, match=r"no case of .* can be added .*knows a case of that name"):
        add_to_gallery(copied.root, further, PLACE, store=store)
    assert undo_gallery(copied.root) == "further.csv"
    assert asked_about(copied, further, store) == before
    assert not copied.addition(1).exists()
    with pytest.raises(RunError, match="nothing was added"):
        undo_gallery(copied.root)


def test_an_added_case_is_the_nearest_of_one_like_it(
    copied: RunFolder, further: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = tmp_path / "features"
    add_to_gallery(copied.root, further, PLACE, store=store)
    asked = tmp_path / "new.png", "--out", tmp_path / "why", "--store", store
    told = typed(capsys, "explain", copied.root, *asked)
    lines = [line for line in told.splitlines() if line.startswith("  near ")]
    assert lines[0] == "  near new: mutated, distance 0.000, named by 2 of 2 fold models"


def test_what_cannot_be_added_is_refused(
    copied: RunFolder, finished: Summary, further: Path, tmp_path: Path
) -> None:
    store = tmp_path / "features"
    with pytest.raises(RunError, match="decide without remembered cases"):
        add_to_gallery(finished.run.root, further, PLACE)
    strange = tmp_path / "strange.csv"
    strange.write_text(further.read_text().replace("mutated", "unheard"))
    with pytest.raises(ManifestError, match="unheard"):
        add_to_gallery(copied.root, strange, PLACE, store=store)
    assert not copied.gallery.exists()
    add_to_gallery(copied.root, further, PLACE, store=store)
    model = copied.fold(1).model
    shutil.copyfile(copied.fold(0).model, model)
    with pytest.raises(RunError, match=r"fold 1 was learnt anew .* `wholecase gallery undo "):
        ask(question_of(copied.root, cohort=further), store=store, place=PLACE)
    copied.addition(1).write_bytes(b"half")
    with pytest.raises(RunError, match=r"1.safetensors is missing or damaged"):
        ask(question_of(copied.root, cohort=further), store=store, place=PLACE)


def test_what_was_added_votes_in_an_exported_file_too(
    copied: RunFolder, further: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed(capsys, "gallery", "add", copied.root, further, "--store", tmp_path / "features")
    with pytest.raises(SystemExit) as left:
        main(["export", str(copied.root), "--onnx", str(tmp_path / "m.onnx")])
    assert not left.value.code
    facts = read_json(tmp_path / "m.json")
    assert facts["outputs"] == ["probabilities", "weights", "nearest", "distance"]
    assert facts["patient"]["name"] == "patient"
    patient_data, added = facts["notes"]
    assert "treat it as patient data" in patient_data
    assert "were added to the memory" in added
    assert f"note: {added}" in capsys.readouterr().out
    trained = load_run(copied.root, "cpu")
    values = torch.randn(3, trained.encoder["width"], generator=torch.Generator().manual_seed(0))
    bounds, places = torch.tensor([0, 3]), ("a",)
    for patient in ("q1", "nobody"):  # q1 is of those that were added
        told, *_ = run_onnx(tmp_path / "m.onnx", values.numpy(), codes([patient]).numpy())
        batch = Batch(values, bounds, places, (patient,))
        rows = [m.choices.calibrated(predict(m.model, [batch])) for m in trained.members]
        np.testing.assert_allclose(told, np.mean(rows, 0), atol=1e-5)
