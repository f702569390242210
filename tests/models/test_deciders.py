"""Learning from the instances that decide gives the gradients of learning from all."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from wholecase.core.kinds import GREY
from wholecase.models import Batch, CaseModel, Pooling, lowered
from wholecase.models.backbones import Backbone, ResNetGrey, SmallCnn
from wholecase.models.deciders import is_each_alone
from wholecase.models.heads import Binary
from wholecase.models.inputs import Unit
from wholecase.models.poolings import MaxLogit, MeanLogit, TopK

NETWORKS = {
    "a vector each": lambda: ResNetGrey(1, network="resnet10t", slices=4),
    "a grid each": lambda: SmallCnn(1, channels=(4, 6)),
}
STARTS = torch.tensor([0, 5, 6, 13])


def batch(images: Tensor | None = None) -> Batch:
    values = torch.rand(13, 1, 32, 32, generator=torch.Generator().manual_seed(3))
    names = ("a", "b", "c")
    labels = {"label": torch.eye(2)[[0, 1, 1]]}
    return Batch(values, STARTS, names, names, targets=labels, images=images)


def model(network: Backbone, pool: Pooling, **parts: object) -> CaseModel:
    """In training mode, but for BatchNorm."""
    head = Binary(network.width, 2, hidden=(16,), dropout=0.4)
    made = CaseModel(backbone=network, input=Unit(GREY), pool=pool, head=head, **parts).train()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return made


def gradients(learnt: CaseModel, shown: Batch) -> Mapping[str, Tensor]:
    torch.manual_seed(5)  # of dropout
    learnt.zero_grad()
    learnt.loss(shown).backward()
    return {name: p.grad.clone() for name, p in learnt.named_parameters()}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("pool", [MaxLogit, TopK])
@pytest.mark.parametrize("images", [None, MeanLogit])
def test_the_gradients_are_those_of_all(
    network: str, pool: type[Pooling], images: type[Pooling] | None, monkeypatch
) -> None:
    torch.manual_seed(0)
    rule = {} if images is None else {"images": images()}
    learnt = model(NETWORKS[network](), pool(), **rule)
    shown = batch(None if images is None else torch.tensor([0, 2, 5, 6, 9, 13]))
    told = gradients(learnt, shown)
    monkeypatch.setattr(pool, "few", False)
    wanted = gradients(learnt, shown)
    assert sum(float(g.abs().sum()) for name, g in wanted.items() if "backbone" in name) > 0
    for name, gradient in wanted.items():
        torch.testing.assert_close(told[name], gradient, atol=1e-5, rtol=1e-5)


def kept(learnt: CaseModel, shown: Batch) -> int:
    """Numbers that a step keeps for its gradient, going forward and back, weights excepted."""
    own = {p.data_ptr() for p in learnt.parameters()}
    sizes: list[int] = []

    def see(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in own:
            sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        learnt.loss(shown).backward()
    return sum(sizes)


def test_what_is_kept_does_not_grow_with_the_number_of_slices() -> None:
    torch.manual_seed(0)
    learnt = model(ResNetGrey(1, network="resnet10t", slices=64), MaxLogit())

    def one(count: int) -> Batch:
        values, label = torch.rand(count, 1, 32, 32), {"label": torch.eye(2)[[1]]}
        return Batch(values, torch.tensor([0, count]), ("a",), ("a",), targets=label)

    few, many = kept(learnt, one(2)), kept(learnt, one(32))
    vectors = 30 * (2 * learnt.backbone.width + 10 * 16)  # what the head keeps of each
    assert many < few + vectors < 2 * few


def test_sixteen_bits_keep_their_gradients() -> None:
    learnt = model(SmallCnn(1, channels=(4, 6)), MaxLogit())
    with lowered("bfloat16", torch.device("cpu")):
        answer = learnt(batch())
    learnt.cost(answer, batch()).backward()
    assert all(p.grad is not None and p.grad.any() for p in learnt.backbone.parameters())


def test_where_batchnorm_or_dropout_mixes_all_are_learnt_from() -> None:
    norms = model(ResNetGrey(1, network="resnet10t"), MaxLogit()).backbone
    assert is_each_alone(norms)
    assert not is_each_alone(norms.train())
    assert not is_each_alone(nn.BatchNorm2d(3, track_running_stats=False).eval())
    assert is_each_alone(nn.Dropout(0.0).train())
    assert not is_each_alone(nn.Sequential(nn.Dropout(0.1)).train())
    assert is_each_alone(nn.Dropout(0.1).eval())
