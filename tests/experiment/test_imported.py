"""A published CLAM checkpoint becomes a run that predicts and explains."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from toys.quick import write_cohort
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
    folder = import_clam(
        checkpoint, tmp_path / "run", classes=("a", "b", "c"), overrides=("encoder=colour",)
    )
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
    folder = import_clam(checkpoint, tmp_path / "run", overrides=("encoder=colour",))
    text = folder.recipe.read_text().replace("name: colour", "name: resnet18")
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
        import_clam(checkpoint, tmp_path / "run", classes=("a", "b"), overrides=["encoder=colour"])
    with pytest.raises(RunError, match="is not empty"):
        import_clam(checkpoint, tmp_path)


def edited(checkpoint: Path, **changes) -> Path:
    """The checkpoint with some tensors replaced; names as of the published layout."""
    state = torch.load(checkpoint, weights_only=True)
    for name, change in changes.items():
        key = f"module.{name.replace('__', '.')}"
        state[key] = change(state[key])
    path = checkpoint.with_name("edited.pt")
    torch.save(state, path)
    return path


def spoilt(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.index_fill(0, torch.tensor([0]), torch.nan)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attention_net__0__weight": spoilt}, "'attention_net.0' holds numbers that are not fin"),
        ({"classifiers__bias": spoilt}, "'classifiers' holds numbers that are not finite"),
        ({"attention_net__0__weight": torch.ravel}, "'attention_net.0' is of shape 32768 and 512"),
        ({"attention_net__0__bias": lambda t: t[:5]}, "of shape 512 x 64 and 5"),
        ({"classifiers__weight": lambda t: t[:, :0]}, "'classifiers' is of shape 3 x 0 and 3"),
        ({"classifiers__weight": torch.Tensor.int}, "'classifiers' holds no reals"),
        ({"attention_net__0__weight": torch.Tensor.to_sparse}, "is no plain tensor"),
        (
            {"attention_net__0__weight": lambda t: t[:1, :1].expand(512, 10**6)},
            "claims more numbers than are stored",
        ),
    ],
)
def test_a_checkpoint_is_looked_through_before_anything_is_written(
    checkpoint: Path, tmp_path: Path, changes, said
) -> None:
    with pytest.raises(WeightsError, match=said):
        import_clam(edited(checkpoint, **changes), tmp_path / "run", overrides=("encoder=colour",))
    assert not (tmp_path / "run").exists()


def test_a_flipped_bit_is_noticed(checkpoint: Path, tmp_path: Path) -> None:
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(WeightsError, match="is damaged: the checksum of"):
        import_clam(checkpoint, tmp_path / "run", overrides=("encoder=colour",))


@pytest.mark.parametrize("encoder", ["resnet50", "uni", "{name: resnet50, weights: x.pth}"])
def test_an_encoder_of_another_width_is_refused_at_import(
    checkpoint: Path, tmp_path: Path, encoder: str
) -> None:
    with pytest.raises(
        WeightsError, match=r"takes 64 numbers per tile and the encoder .* gives 102"
    ):
        import_clam(checkpoint, tmp_path / "run", overrides=(f"encoder={encoder}",))
    assert not (tmp_path / "run").exists()


def test_feature_files_have_whatever_width_they_have(checkpoint: Path, tmp_path: Path) -> None:
    run = import_clam(checkpoint, tmp_path / "run", overrides=("encoder=stored",))
    assert run.read_facts()["encoder"]["width"] == 64
