"""A run on features of another engine says so, and is asked with the same engine."""

import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from toys.quick import quick, write_cohort
from wholecase.execution import Place
from wholecase.experiment import Settings, ask, question_of, run


@pytest.mark.slow
def test_a_run_and_its_questions_have_one_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "tiny.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), weights)
    encoder = f"encoder={{name: test_resnet, weights: {weights}, engine: bf16}}"
    recipe = quick(encoder, "protocol.folds=2", "train.epochs=1", "evaluate.bootstrap=100")
    cohort = write_cohort(tmp_path, patients=12)
    done = run(recipe, cohort, Settings(out=tmp_path / "run", place=Place(workers=0)))
    facts = json.loads(done.run.facts.read_text())
    (told,) = facts["engine"]
    assert told["identity"] == facts["encoder"]["identity"]
    assert told["identity"].endswith("+bf16")
    assert told["instances"] > 20
    assert 0.99 < told["least"] < 1
    assert "differs from exact features by" in done.run.report.read_text()
    capsys.readouterr()
    asked = ask(question_of(done.run.root, [tmp_path / "01-0.png"]), place=Place(workers=0))
    assert len(list(asked.judgements)) == 1
    assert f"{told['identity']}: features of 1 instance of 1 image" in capsys.readouterr().err
