"""A published CLAM checkpoint becomes a run that predicts and explains."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from e2e.conftest import write_cohort
from wholecase.answer import load_run
from wholecase.cli import main
from wholecase.core.errors import RunError, WeightsError
from wholecase.experiment import import_clam
from wholecase.report import write_report

REFERENCE = Path(__file__).parents[1] / "systems/data/clam_sb_small_plain_3_sub_ce.safetensors"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    with safe_open(REFERENCE, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("weights/")]  # noqa: SIM118
        state = {f"module.{n.removeprefix('weights/')}": file.get_tensor(n) for n in names}
    path = tmp_path / "s_0_checkpoint.pt"
    torch.save(state, path)
    return path


def test_it_answers_as_the_public_implementation_did(checkpoint: Path, tmp_path: Path) -> None:
    folder = import_clam(checkpoint, tmp_path / "run", classes=("a", "b", "c"))
    trained = load_run(folder.root, "cpu")
    assert trained.classes == ("a", "b", "c")
    with safe_open(REFERENCE, framework="pt") as file:
        features, logits = file.get_tensor("features"), file.get_tensor("logits")
    from wholecase.models import Batch

    batch = Batch(features, torch.tensor([0, len(features)]), ("x",), ("x",))
    with torch.no_grad():
        answer = trained.members[0].model(batch)
    torch.testing.assert_close(answer.logits, logits, atol=1e-5, rtol=1e-5)


def test_predict_explain_and_report(checkpoint: Path, tmp_path: Path, capsys) -> None:
    run, images = tmp_path / "runs" / "clam", tmp_path / "images"
    images.mkdir()
    cohort = write_cohort(images, patients=2)
    words = ["import-clam", str(checkpoint), "--out", str(run), "encoder=colour"]
    for command in (
        words,
        ["predict", str(run), "--cohort", str(cohort), "--workers", "1"],
        ["explain", str(run), str(images / "01-0.png"), "--out", str(tmp_path / "x")],
    ):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert not left.value.code, command
    assert "class 2" in capsys.readouterr().out
    assert write_report(run).is_file()


def test_features_of_another_width_are_refused(checkpoint: Path, tmp_path: Path, capsys) -> None:
    images = tmp_path / "images"
    images.mkdir()
    write_cohort(images, patients=2)
    folder = import_clam(checkpoint, tmp_path / "run", overrides=("encoder=resnet50",))
    text = folder.recipe.read_text().replace("name: resnet50", "name: resnet18")
    weights = tmp_path / "weights.safetensors"
    import timm
    from safetensors.torch import save_file

    save_file(timm.create_model("resnet18", pretrained=False).state_dict(), weights)
    folder.recipe.write_text(text)
    with pytest.raises(SystemExit):
        main(["predict", str(folder.root), str(images / "01-0.png"), "--weights", str(weights)])
    told = capsys.readouterr().err
    assert "64 numbers per instance" in told
    assert "gives 512" in told


def test_what_cannot_be_imported(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="knows 3 classes, 2 names"):
        import_clam(checkpoint, tmp_path / "run", classes=("a", "b"))
    with pytest.raises(RunError, match="is not empty"):
        import_clam(checkpoint, tmp_path)
