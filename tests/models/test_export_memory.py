"""A file that holds the remembered cases answers as the models do, whoever the patient is."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from wholecase.evaluation import apply_temperature
from wholecase.models import (
    AGGREGATORS,
    Batch,
    Calibrated,
    CaseModel,
    export_onnx,
    predict,
    remember,
)
from wholecase.models.backbones import SmallCnn
from wholecase.models.export import NOBODY, run_onnx
from wholecase.models.heads import Neighbours
from wholecase.models.heads.nearest_cases import codes

WIDTH, KNOWN = 6, 20


def known(values: torch.Tensor) -> Batch:
    names = [f"case {i}" for i in range(len(values))]
    label = torch.eye(2)[torch.arange(len(values)) % 2]
    patients = tuple(f"p{i // 2}" for i in range(len(values)))
    starts = torch.arange(len(values) + 1)
    return Batch(values, starts, tuple(names), patients, targets={"label": label})


def member(seed: int, k: int, temperature: float) -> Calibrated:
    torch.manual_seed(seed)
    head = Neighbours(WIDTH, 2, hidden=(5,), size=4, k=k)
    model = CaseModel(pool=AGGREGATORS["mean"](WIDTH), head=head)
    remember(model, [known(torch.randn(KNOWN, WIDTH))])
    return Calibrated(model, temperature)


@pytest.fixture(scope="module")
def members() -> list[Calibrated]:
    return [member(0, 3, 1.5), member(1, 5, 0.7)]


@pytest.fixture(scope="module")
def exported(members, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    assert export_onnx(members, path, torch.zeros(2, WIDTH)).difference < 1e-5
    return path


def code(patient: str) -> np.ndarray:
    """As the guide says it is made, by the standard library alone."""
    digest = hashlib.sha256(patient.encode()).digest()
    return np.array([int.from_bytes(digest[:7], "big")])


@pytest.mark.parametrize("patient", ["p0", "p3", "p9", "a stranger"])
@pytest.mark.parametrize("count", [1, 4])
def test_a_patient_is_judged_by_others(members, exported, patient: str, count: int) -> None:
    values = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(count))
    told, weights, near, distance = run_onnx(exported, values.numpy(), code(patient))
    batch = Batch(values, torch.tensor([0, count]), ("a",), (patient,))
    rows = [apply_temperature(predict(m.model, [batch]), m.temperature) for m in members]
    np.testing.assert_allclose(told, np.mean(rows, 0), atol=1e-5)
    assert weights.shape == (count, 1)
    own = {f"case {i}" for i in range(KNOWN) if f"p{i // 2}" == patient}
    assert near.shape == distance.shape == (2, 3)
    assert not set(near.ravel().tolist()) & set(codes(own).tolist())


def test_whose_case_it_is_makes_a_difference(members, exported) -> None:
    """The nearest case of all is heard from a stranger, and not from its own patient."""
    first = members[0].model
    values = torch.randn(1, WIDTH, generator=torch.Generator().manual_seed(3))
    _, _, near, distance = run_onnx(exported, values.numpy(), np.array([NOBODY]))
    vector = F.normalize(first.head.judge(values[:, None])).detach()
    away = (first.head.memory - vector).norm(dim=1)
    assert near[0, 0] == first.head.memory_case[away.argmin()]
    assert distance[0, 0] == pytest.approx(float(away.min()), abs=1e-6)
    owner = f"p{int(away.argmin()) // 2}"
    _, _, without, _ = run_onnx(exported, values.numpy(), code(owner))
    assert near[0, 0] not in without[0]


def test_pixels_that_a_network_sees(tmp_path) -> None:
    torch.manual_seed(0)
    head = Neighbours(8, 2, size=4, k=3)
    model = CaseModel(backbone=SmallCnn(3, channels=(6, 8)), pool=AGGREGATORS["mean"](8), head=head)
    pictures = torch.randint(0, 256, (9, 3, 16, 16), dtype=torch.uint8)
    remember(model, [known(pictures)])
    export_onnx([Calibrated(model)], tmp_path / "m.onnx", pictures[:2])
    told, *_ = run_onnx(tmp_path / "m.onnx", pictures[:3].numpy(), code("p1"))
    batch = Batch(pictures[:3], torch.tensor([0, 3]), ("a",), ("p1",))
    np.testing.assert_allclose(told, predict(model, [batch]), atol=1e-5)


def test_a_memory_of_one_patient_says_nothing_of_that_patient(tmp_path) -> None:
    made = member(0, 3, 1.0)
    batch = known(torch.randn(2, WIDTH))
    made.model.head.remember([made.model.eval()(batch)])
    export_onnx([made], tmp_path / "m.onnx", torch.zeros(2, WIDTH))
    told, _, _, distance = run_onnx(tmp_path / "m.onnx", batch.values[:1].numpy(), code("p0"))
    np.testing.assert_allclose(told, [[0.5, 0.5]])
    assert np.isinf(distance).all()
