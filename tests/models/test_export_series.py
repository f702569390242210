"""A patient's slices in one graph: what the models say of the patient, and of each slice alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from toys import TOYS
from wholecase.core.errors import RunError
from wholecase.core.kinds import CT, RGB
from wholecase.evaluation import apply_temperature
from wholecase.models import POOLINGS, Batch, Calibrated, CaseModel, export_onnx, predict
from wholecase.models.along import Recurrent, Smoothing
from wholecase.models.backbones import SmallCnn
from wholecase.models.export import run_onnx
from wholecase.models.heads import Binary, Multiclass
from wholecase.models.inputs import LIGHT, Window
from wholecase.models.poolings import Decided, Pooling

SIDE = 8


def model(pooling: str = "max", seed: int = 0, cells: bool = False, **options: object) -> CaseModel:
    """Of one vector for each slice, or of one for each of its positions; answers that differ."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        toy = TOYS["brain-mets-ct"].model()
        made = CaseModel(
            backbone=SmallCnn(1, channels=(4, 5)) if cells else toy.backbone,
            input=Window(CT, centre=40, width=80, zscore="slice"),
            pool=POOLINGS[pooling](**options),
            head=Binary(5 if cells else 8, 2, hidden=(4,)),
        )
        with torch.no_grad():
            made.head.judge.last.weight.mul_(60)
    return made.eval()


def slices(count: int, seed: int = 0) -> torch.Tensor:
    """Hounsfield units: brain, bone and air, slices that differ from each other."""
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(0, 80, (count, 1, 1, 1)), 25, (count, 1, SIDE, SIDE))
    values[:, :, 0] = -1000
    values[:, :, -1] = 900
    return torch.from_numpy(values.astype(np.float32))


def expected(members: list[Calibrated], values: torch.Tensor, each: bool) -> np.ndarray:
    bounds = range(len(values) + 1) if each else (0, len(values))
    names = tuple(map(str, range(len(bounds) - 1)))
    batch = Batch(values, torch.tensor(bounds), names, names)
    told = [apply_temperature(predict(m.model, [batch]), m.temperature) for m in members]
    return np.mean(told, 0)


def check(members: list[Calibrated], path: Path, counts: tuple[int, ...]) -> None:
    for count in counts:
        values = slices(count, seed=count)
        patient, alone, weights = run_onnx(path, values.numpy())
        assert patient.shape == (1, 2)
        np.testing.assert_allclose(patient, expected(members, values, each=False), atol=1e-5)
        np.testing.assert_allclose(alone, expected(members, values, each=True), atol=1e-5)
        assert weights.shape == (count,)
        assert weights.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_every_pooling_is_a_graph_for_any_number_of_slices(name: str, tmp_path: Path) -> None:
    members = [Calibrated(model(name), 1.7)]
    made = export_onnx(members, tmp_path / "m.onnx", slices(2))
    assert made.difference < 1e-5
    check(members, tmp_path / "m.onnx", (1, 2, 3, 11, 40))


@pytest.mark.slow
def test_folds_are_their_calibrated_mean_and_the_weights_tell_who_decides(tmp_path: Path) -> None:
    members = [Calibrated(model("top_k", s, k=2), t) for s, t in ((0, 1.0), (1, 2.5))]
    export_onnx(members, tmp_path / "m.onnx", slices(2))
    check(members, tmp_path / "m.onnx", (1, 9))
    values = slices(9, seed=9)
    _, alone, weights = run_onnx(tmp_path / "m.onnx", values.numpy())
    assert np.ptp(alone[:, 1]) > 0.05, "slices that differ are told apart"
    each = [expected([m], values, each=True)[:, 1].argsort()[-2:].tolist() for m in members]
    assert set(np.flatnonzero(weights).tolist()) == {*each[0], *each[1]}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["max", "top_k"])
def test_positions_of_a_slice_are_pooled_for_the_slice_and_for_the_patient(
    name: str, tmp_path: Path
) -> None:
    members = [Calibrated(model(name, cells=True))]
    export_onnx(members, tmp_path / "m.onnx", slices(2))
    check(members, tmp_path / "m.onnx", (1, 5))


@pytest.mark.slow
def test_several_classes_of_pictures_in_eight_bits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = CaseModel(
        backbone=SmallCnn(3, channels=(4, 5)),
        input=LIGHT,
        pool=POOLINGS["mean"](),
        head=Multiclass(5, 3),
    ).eval()
    assert LIGHT.kind == RGB
    example = torch.randint(0, 256, (2, 3, SIDE, SIDE), dtype=torch.uint8)
    export_onnx([Calibrated(made)], tmp_path / "m.onnx", example)
    values = torch.randint(0, 256, (6, 3, SIDE, SIDE), dtype=torch.uint8)
    patient, alone, _ = run_onnx(tmp_path / "m.onnx", values.numpy())
    np.testing.assert_allclose(patient, expected([Calibrated(made)], values, each=False), atol=1e-5)
    np.testing.assert_allclose(alone, expected([Calibrated(made)], values, each=True), atol=1e-5)


class Counting(Pooling):
    """Depends on how many slices there are, which no graph for any number can say."""

    def forward(self, logits: torch.Tensor, starts: torch.Tensor) -> Decided:
        rows = logits[: int(starts[1] - starts[0]) // 2 + 1]
        return Decided(rows.mean(0, keepdim=True), torch.ones_like(logits) / len(logits))


def test_a_pooling_that_cannot_be_a_graph_is_refused_by_name(tmp_path: Path) -> None:
    other = model()
    other.pool = Counting()
    with pytest.raises(RunError, match="a model with Counting, SliceNet cannot be written as ONNX"):
        export_onnx([Calibrated(other)], tmp_path / "m.onnx", slices(2))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_neighbours_and_the_training_patients_deviation_are_in_the_graph(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        made = CaseModel(
            backbone=SmallCnn(3, channels=(4, SIDE)),
            input=Window(CT, centre=40, width=80, zscore="patients", beside=1),
            pool=POOLINGS["log_sum_exp"](sharpness=1.0, sharpens=[[3, 6.0]]),
            head=Binary(SIDE, 2),
        )
    made.turn(5)
    names = ("a",)
    made.begin([Batch(slices(6), torch.tensor([0, 6]), names, names)])
    members = [Calibrated(made.eval(), 0.8)]
    export_onnx(members, tmp_path / "m.onnx", slices(2))
    values = slices(7, seed=2)
    patient, alone, _ = run_onnx(tmp_path / "m.onnx", values.numpy())
    np.testing.assert_allclose(patient, expected(members, values, each=False), atol=1e-5)
    moved, others, _ = run_onnx(tmp_path / "m.onnx", values.flip(0).numpy())
    assert abs(moved - patient).max() > 1e-4, "the order of slices counts"
    assert abs(others[::-1] - alone).max() > 1e-4


def test_what_goes_from_slice_to_slice_is_refused_by_name(tmp_path: Path) -> None:
    for name, part in (("sequence", Recurrent(8)), ("smoothing", Smoothing(5.0))):
        other = model()
        setattr(other, name, part)
        with pytest.raises(RunError, match=f"a model with model.{name} cannot be exported"):
            export_onnx([Calibrated(other)], tmp_path / "m.onnx", slices(2))
