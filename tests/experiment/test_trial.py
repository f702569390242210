"""Another file of the encoder is tried on a run's own test cases before it may predict."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from toys.onnx_network import onnx_network
from toys.quick import quick
from wholecase.cli import main
from wholecase.core.errors import RunError
from wholecase.execution import Place
from wholecase.experiment import Settings, ask, question_of, run, try_features
from wholecase.experiment.trial import trials_of
from wholecase.runs import RunFolder, read_rows

HERE = Place(workers=0)
FEW = ("protocol.folds=2", "train.epochs=2", "evaluate.pictures=0", "evaluate.bootstrap=100")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network, one like it, and one of another width."""
    folder = tmp_path_factory.mktemp("networks")
    own = onnx_network(folder / "own.onnx")
    like = onnx.load(own)
    weights = onnx.numpy_helper.to_array(like.graph.initializer[0])
    noise = np.random.default_rng(1).normal(0, 0.05, weights.shape).astype(np.float32)
    like.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights + noise, "w"))
    onnx.save(like, str(folder / "like.onnx"))
    return own, str(folder / "like.onnx"), onnx_network(folder / "wide.onnx", width=20)


@pytest.fixture(scope="module")
def finished(files, cohort_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("trial") / "run"
    recipe = quick(f"encoder={{name: onnx, weights: {files[0]}}}", *FEW)
    return run(recipe, cohort_file, Settings(out, place=HERE)).run.root


def test_it_is_tried_kept_and_then_may_predict(finished, files, cohort_file, capsys):
    like = Path(files[1])
    asked = question_of(finished, cohort=cohort_file)
    with pytest.raises(RunError, match=r"trained on features of own@.*these are of like@.*trial"):
        ask(asked, weights=[like], place=HERE)
    with pytest.raises(SystemExit) as ended:
        main(["features", "trial", str(finished), f"encoder.weights={like}", "--cases", "6"])
    assert ended.value.code == 0
    assert "like@" in capsys.readouterr().out
    (found,) = trials_of(RunFolder(finished)).values()
    assert found.cases == found.patients == 6
    assert 0 < found.moved <= found.most < 1
    answered = ask(asked, weights=[like], place=HERE)
    assert answered.notes[0].startswith(f"Features are of {found.identity}: on 6 test cases")
    assert found.told in answered.notes[0]


def test_what_it_tells_is_what_both_say(finished, files):
    found = try_features(finished, [f"encoder.weights={files[1]}"], 100, HERE)
    rows = read_rows(RunFolder(finished).predictions)
    assert found.cases == len(rows)
    assert len(trials_of(RunFolder(finished))) == 1  # told anew, not twice


def test_no_other_features_are_refused(finished, files):
    with pytest.raises(RunError, match="these are the same"):
        try_features(finished, [f"encoder.weights={files[0]}"], 4, HERE)
    with pytest.raises(RunError, match="takes 12 numbers per instance"):
        try_features(finished, [f"encoder.weights={files[2]}"], 4, HERE)
