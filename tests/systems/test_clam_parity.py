"""Our model under a published state dict answers what the public CLAM answered (1e-5)."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from wholecase.core.errors import WeightsError
from wholecase.models import AGGREGATORS, HEADS, Batch, CaseModel
from wholecase.weights import clam_weights

HERE = Path(__file__).parent / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "parity" / "clam"
FILES = [*sorted(HERE.glob("clam_*.safetensors")), *sorted(SHARED.glob("*.safetensors"))]
LOSSES = {"svm": "svm", "ce": "cross_entropy"}


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def state_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix("weights/"): v for k, v in tensors.items() if k.startswith("weights/")}


def model_of(state: dict[str, Tensor], told: dict[str, str]) -> CaseModel:
    known = clam_weights(state)
    options = {k: v for k, v in known.aggregator.items() if k != "name"}
    pool = AGGREGATORS[known.aggregator["name"]](known.width, known.classes, **options)
    head = HEADS["clam"](
        pool.embedding_width,
        known.classes,
        pool.branches,
        instance_loss=LOSSES[told["instance_loss"]],
        subtyping=told["subtyping"] == "true",
    )
    model = CaseModel(pool=pool, head=head)
    model.load_state_dict(known.tensors, strict=True)
    return model.eval()


def batch(features: Tensor, label: int, classes: int) -> Batch:
    starts = torch.tensor([0, len(features)])
    target = {"label": torch.eye(classes)[label : label + 1]}
    return Batch(features, starts, ("case",), ("patient",), targets=target)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_logits_attention_probabilities_and_instance_losses(path: Path) -> None:
    tensors, told = load(path)
    model, classes = model_of(state_of(tensors), told), int(told["n_classes"])
    with torch.no_grad():
        for label in range(classes):
            asked = batch(tensors["features"], label, classes)
            answer = model(asked)
            loss = model.head.cluster(answer, asked)
            expected = tensors[f"label{label}/instance_loss"].squeeze()
            torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(answer.logits, tensors["logits"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        answer.pooled.scores.T, tensors["raw_attention"], atol=1e-5, rtol=1e-5
    )
    rows = model.head.probabilities(answer)
    torch.testing.assert_close(rows, tensors["probabilities"], atol=1e-5, rtol=1e-5)


def test_the_smallest_reference_is_kept_here_and_the_others_are_tried_where_they_are() -> None:
    assert len(FILES) >= 1
    if SHARED.is_dir():
        assert len(FILES) == 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_published_layout_is_understood(path: Path) -> None:
    state = state_of(load(path)[0])
    straight = clam_weights(state).tensors
    layouts = {
        "parallel": lambda n: n.replace("attention_net.", "attention_net.module."),
        "without dropout": lambda n: n.replace("attention_net.3", "attention_net.2"),
        "wrapped": lambda n: f"module.{n}",
        "model": lambda n: f"model.{n}",
    }
    for name, rename in layouts.items():
        other = {rename(key): tensor for key, tensor in state.items()}
        translated = clam_weights(other).tensors
        assert translated.keys() == straight.keys(), name
        assert all(torch.equal(v, straight[k]) for k, v in translated.items()), name
    older = {**state, "instance_loss_fn.labels": torch.arange(2)}
    assert clam_weights(older).tensors.keys() == straight.keys()


def test_another_network_is_refused() -> None:
    with pytest.raises(WeightsError, match="no CLAM model"):
        clam_weights({"conv1.weight": torch.zeros(3, 3), "conv1.bias": torch.zeros(3)})
    state = state_of(load(FILES[0])[0])
    with pytest.raises(WeightsError, match="has a tensor 'survival'"):
        clam_weights({**state, "survival": torch.zeros(1)})
