"""What is written as ONNX answers as the models do, or is not written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from toys import TOYS
from wholecase.core.errors import RunError
from wholecase.evaluation import apply_temperature
from wholecase.models import (
    AGGREGATORS,
    Batch,
    Calibrated,
    CaseModel,
    Covariates,
    export,
    export_onnx,
    predict,
    quantise,
)
from wholecase.models.aggregators import CrossMagnification, SelfAttention
from wholecase.models.backbones import Attended, PerMagnification, SmallCnn
from wholecase.models.export import run_onnx
from wholecase.models.heads import Binary, Multiclass
from wholecase.models.quantise import halves

SIDE = 16
INT8 = onnx.TensorProto.INT8


def network(seed: int) -> CaseModel:
    """With weights that are large enough for answers that differ from patch to patch."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CaseModel(
            backbone=SmallCnn(3, channels=(6, 8)),
            pool=SelfAttention(8, inner=4),
            head=Binary(4, 2, hidden=(5,)),
        )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2 if parameter.dim() > 1 else 1)
    return model


def patches(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 200, (count, 3, 1, 1))
    return (level + rng.integers(0, 56, (count, 3, SIDE, SIDE))).astype(np.uint8)


def expected(members: list[Calibrated], values: np.ndarray) -> np.ndarray:
    """Case by case, with the toolkit's own calibration."""
    rows = []
    for patch in values:
        batch = Batch(torch.from_numpy(patch[None]), torch.tensor([0, 1]), ("a",), ("a",))
        told = [apply_temperature(predict(m.model, [batch]), m.temperature) for m in members]
        rows.append(np.mean(told, 0)[0])
    return np.array(rows)


@pytest.fixture(scope="module")
def members() -> list[Calibrated]:
    return [Calibrated(network(0), 1.0), Calibrated(network(1), 2.5)]


@pytest.fixture(scope="module")
def exported(members, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    made = export_onnx(members, path, torch.from_numpy(patches(2)))
    assert made.bytes == path.stat().st_size
    assert made.difference < 1e-5
    return path


@pytest.mark.parametrize("count", [1, 3, 40])
def test_several_folds_are_their_calibrated_mean(members, exported, count: int) -> None:
    (told,) = run_onnx(exported, patches(count, seed=count))
    np.testing.assert_allclose(told, expected(members, patches(count, seed=count)), atol=1e-5)
    assert count < 40 or np.ptp(told[:, 1]) > 0.03, "patches that differ are told apart"


@pytest.mark.parametrize(
    "name", ["a transformer", "a transformer's tokens", "networks side by side"]
)
def test_any_network_is_a_graph_from_its_pixels_on(name: str, tmp_path) -> None:
    toy = TOYS[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = toy.model()
    pixels = (toy.examples(1, 3)[1].values * 255).to(torch.uint8)
    export_onnx([Calibrated(model)], tmp_path / "m.onnx", pixels.repeat(2, 1, 1, 1))
    given = torch.cat([pixels, pixels.flip(2), pixels.transpose(2, 3)]).numpy()
    (told,) = run_onnx(tmp_path / "m.onnx", given)
    np.testing.assert_allclose(told, expected([Calibrated(model)], given), atol=1e-5)


def test_hounsfield_units_go_in_and_the_graph_has_the_window(tmp_path) -> None:
    torch.manual_seed(0)
    network = TOYS["brain-mets-ct"].model()
    pool, head = AGGREGATORS["mean"](8), Binary(8, 2)
    model = CaseModel(backbone=network.backbone, input=network.input, pool=pool, head=head)
    slices = TOYS["brain-mets-ct"].examples(1, 2)[1].values
    export_onnx([Calibrated(model)], tmp_path / "m.onnx", slices)
    (told,) = run_onnx(tmp_path / "m.onnx", slices.numpy())
    np.testing.assert_allclose(told, expected([Calibrated(model)], slices.numpy()), atol=1e-5)


def test_the_file_says_nothing_of_where_it_was_made(exported) -> None:
    content = exported.read_bytes()
    assert b".py" not in content
    assert str(Path.cwd()).encode() not in content


def test_one_bag_of_features_with_its_weights(tmp_path) -> None:
    torch.manual_seed(0)
    model = CaseModel(pool=AGGREGATORS["gated_attention"](6), head=Multiclass(512, 3))
    export_onnx([Calibrated(model, 1.5)], tmp_path / "m.onnx", torch.zeros(5, 6))
    values = torch.randn(11, 6)
    row, weights = run_onnx(tmp_path / "m.onnx", values.numpy())
    batch = Batch(values, torch.tensor([0, 11]), ("a",), ("a",))
    with torch.no_grad():
        answer = model.eval()(batch)
    calibrated = apply_temperature(model.head.probabilities(answer).numpy(), 1.5)
    np.testing.assert_allclose(row, calibrated, atol=1e-5)
    np.testing.assert_allclose(weights, answer.pooled.weights.numpy(), atol=1e-5)


def test_a_graph_that_disagrees_is_not_written(tmp_path, monkeypatch) -> None:
    model = CaseModel(pool=AGGREGATORS["mean"](4), head=Binary(4, 2))
    monkeypatch.setattr(export, "CLOSE", -1.0)
    with pytest.raises(RunError, match=r"differs from the model .* m\.onnx was not written"):
        export_onnx([Calibrated(model)], tmp_path / "m.onnx", torch.zeros(3, 4))
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_a_graph_is_refused(tmp_path) -> None:
    path = tmp_path / "m.onnx"
    ages = Covariates(["number"], 1)
    with_ages = CaseModel(pool=AGGREGATORS["mean"](4), head=Binary(4, 2), covariates=ages)
    with pytest.raises(RunError, match="with covariates"):
        export_onnx([Calibrated(with_ages)], path, torch.zeros(2, 4))
    with pytest.raises(RunError, match="this model takes pixels"):
        export_onnx([Calibrated(network(0))], path, torch.zeros(2, 4))
    assert not list(tmp_path.iterdir())


def test_eight_bits_are_smaller_and_their_cost_is_that_of_patches_held_back(
    exported, tmp_path
) -> None:
    given = patches(40)
    small = quantise(exported, tmp_path / "m.int8.onnx", given)
    assert small.patches == 20
    held = given[halves(40)[1]]
    off = np.abs(run_onnx(small.path, held)[0] - run_onnx(exported, held)[0])
    assert (small.largest, small.mean) == pytest.approx((off.max(), off.mean()))
    assert 0 < small.largest < 0.1
    with pytest.raises(RunError, match="need 16 patches or more to be set, not 15"):
        quantise(exported, tmp_path / "few.onnx", given[:15])


@pytest.mark.parametrize("count", [16, 17, 400])
def test_the_halves_share_nothing_and_follow_no_pattern(count: int) -> None:
    seen, held = halves(count)
    assert sorted([*seen, *held]) == list(range(count))
    assert len(seen) - len(held) in {0, 1}
    for half in (seen, held):
        assert 0.2 < (half % 2).mean() < 0.8, "classes in turn are on both sides"


def test_eight_bits_answer_alike_on_all_machines_and_leave_attention_alone(
    exported, tmp_path
) -> None:
    graph = onnx.load(quantise(exported, tmp_path / "m.int8.onnx", patches(40)).path).graph
    weights = [onnx.numpy_helper.to_array(t) for t in graph.initializer if t.data_type == INT8]
    filters = [w for w in weights if w.ndim > 1]
    assert any(w.ndim == 4 for w in filters), "of the convolutions"
    assert any(w.ndim == 2 for w in filters), "of the dense layers"
    # some x86 processors add two products in sixteen bits, and cut off what does not fit
    assert max(2 * 255 * int(np.abs(w.astype(int)).max()) for w in filters) < 2**15
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type in {"Softmax", "Sigmoid"}:
            assert makers[node.input[0]].op_type != "DequantizeLinear"
            assert node.output[0] not in {
                name for n in graph.node if n.op_type == "QuantizeLinear" for name in n.input
            }


def test_the_example_needs_onnxruntime_and_numpy_alone(exported, members, tmp_path) -> None:
    import json

    facts = {"input": {"shape": ["N", 3, SIDE, SIDE]}, "classes": ["no", "yes"], "threshold": 0.4}
    (tmp_path / "m.json").write_text(json.dumps(facts))
    (tmp_path / "m.onnx").write_bytes(exported.read_bytes())
    given = patches(3)
    np.save(tmp_path / "p.npy", given.transpose(0, 2, 3, 1))
    script = Path(__file__).resolve().parents[2] / "examples" / "onnx_patch.py"
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0]);"
        "assert not {'torch', 'wholecase', 'onnx'} & set(sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, script, tmp_path / "m.onnx", tmp_path / "p.npy"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ran.stdout.splitlines()
    rows = expected(members, given)
    assert lines == [
        f"{i}: {'yes' if row[1] > 0.4 else 'no'} (no {row[0]:.3f}, yes {row[1]:.3f})"
        for i, row in enumerate(rows)
    ]


def mmnet(*, shared: bool, pixels: bool = True) -> CaseModel:
    """Pixels or features at 40, 100 and 400; weights are large, so that answers differ."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        backbone = None
        if pixels:
            backbone = PerMagnification(
                lambda _: Attended(lambda _: SmallCnn(3, channels=(4, 6)), network={}, reduction=2),
                scales=[40, 100, 400],
                network={},
                shared=shared,
            )
        pool = CrossMagnification(6, scales=[40, 100, 400], inner=8, heads=2)
        model = CaseModel(backbone=backbone, pool=pool, head=Binary(8, 2))
        with torch.no_grad():
            pool.importance.copy_(torch.tensor([0.5, -0.5, 1.0]))
            model.head.judge.last.weight.mul_(4)
    return model.eval()


SLOW = [pytest.param(form, marks=pytest.mark.slow) for form in ("shared", "separate")]


@pytest.mark.parametrize("form", ["features", *SLOW])
def test_views_at_several_scales_are_one_case_whichever_there_are(tmp_path, form: str) -> None:
    pixels = form != "features"
    model = mmnet(shared=form == "shared", pixels=pixels)
    shape, kind = ((3, 16, 16), torch.uint8) if pixels else ((6,), torch.float32)
    path = tmp_path / "m.onnx"
    made = export_onnx([Calibrated(model, 1.5)], path, torch.zeros((2, *shape), dtype=kind))
    assert made.difference <= 1e-5
    answers = []
    for scales in ([40.0, 100.0, 400.0], [400.0], [100.0, 40.0], [40.0, 40.0, 400.0, 100.0]):
        rng = np.random.default_rng(len(scales))
        values = torch.from_numpy(rng.integers(0, 256, (len(scales), *shape))).to(kind)
        if not pixels:
            values = values / 64 - 2
        scale = torch.tensor(scales)
        told, weights = run_onnx(path, values.numpy(), scale.numpy())
        batch = Batch(values, torch.tensor([0, len(scales)]), ("a",), ("a",), scale)
        rows = apply_temperature(predict(model, [batch]), 1.5)
        np.testing.assert_allclose(told, rows, atol=1e-5)
        assert weights.sum() == pytest.approx(1, abs=1e-5)
        answers.append(float(told[0, 1]))
    assert np.ptp(answers) > 0.01
