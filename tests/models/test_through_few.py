"""Attention that learns from few instances: exact to a tolerance, or right on average."""

import pytest
import torch
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models import Batch, CaseModel, deciders, lowered
from wholecase.models.aggregators import AGGREGATORS
from wholecase.models.aggregators import attention as attending
from wholecase.models.deciders import Few, through_few
from wholecase.models.dropout import Rows, kept_mask
from wholecase.models.heads import Clam

WIDTH = 24
STARTS = torch.tensor([0, 30, 31, 57])


def batch() -> Batch:
    values = torch.randn(57, WIDTH, generator=torch.Generator().manual_seed(3))
    names = ("a", "b", "c")
    return Batch(values, STARTS, names, names, targets={"label": torch.eye(2)[[0, 1, 1]]})


def model(name: str, **options: object) -> CaseModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pool = AGGREGATORS[name](WIDTH, size="tiny", **options)
        with torch.no_grad():  # attention that tells instances apart
            pool.score.weight.mul_(6)
        head = Clam(pool.embedding_width, 2, pool.branches, k_sample=3)
        return CaseModel(pool=pool, head=head).train()


def gradients(learnt: CaseModel, precision: str = "float32") -> dict[str, Tensor]:
    torch.manual_seed(5)  # of dropout
    learnt.zero_grad()
    with lowered(precision, torch.device("cpu")):
        answer = learnt(batch())
    learnt.cost(answer, batch()).backward()
    return {name: p.grad.clone() for name, p in learnt.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", ["attention", "gated_attention"])
@pytest.mark.parametrize("options", [{"heads": 4}, {"heads": 1, "branches": "multi"}])
@pytest.mark.parametrize("rule", [{"tolerance": 1e-12}, {"backward": 1 - 1e-9}])
def test_from_all_the_gradients_are_those_of_learning_plainly(name, options, rule):
    told, wanted = gradients(model(name, **options, **rule)), gradients(model(name, **options))
    assert told.keys() == wanted.keys()
    for key, gradient in wanted.items():
        torch.testing.assert_close(told[key], gradient, atol=1e-5, rtol=1e-5)


def test_sixteen_bits_and_the_hundredth_that_is_left_out():
    plain, few = (
        model("gated_attention", heads=4),
        model("gated_attention", heads=4, tolerance=0.01),
    )
    told, wanted = gradients(few, "bfloat16"), gradients(plain, "bfloat16")
    for key, gradient in wanted.items():
        assert (told[key] - gradient).norm() < 0.05 * gradient.norm() + 5e-4, key


@pytest.mark.parametrize("tolerance", [0.3, 0.05, 0.0])
def test_what_is_left_out_is_bounded(tolerance):
    """Of a linear layer the gradient is the sum of gradient times value over the instances."""
    torch.manual_seed(1)
    values = nn.functional.normalize(torch.randn(200, 5), dim=1)
    layers = nn.Linear(5, 4), nn.Linear(5, 2)
    upstream = [torch.randn(200, 4) * torch.rand(200, 1) ** 8, torch.rand(200, 2) ** 9]
    upstream[0][::3] = 0
    upstream[1][::3] = 0
    seen: list[int] = []

    def run(part, rows):
        seen.append(len(part))
        return tuple(layer(part) for layer in layers)

    learnt = [layer.weight for layer in layers]
    told = through_few(run, values, learnt, Few(tolerance=tolerance))
    found = torch.autograd.grad(told, learnt, upstream)
    for gradient, above in zip(found, upstream, strict=True):
        away = (gradient - above.T @ values).norm()
        assert away <= tolerance * above.norm(dim=1).sum() + 1e-5
    assert seen[0] == 200
    assert seen[1] == 133 if tolerance == 0 else seen[1] < (110 if tolerance > 0.1 else 133)


def test_each_is_drawn_as_often_as_its_chance_says(monkeypatch):
    parts = torch.rand(40, generator=torch.Generator().manual_seed(2)) ** 6
    parts[7] = 0
    chance = deciders._chances(parts, 10)
    assert chance.sum().item() == pytest.approx(10)
    assert chance.max() == 1
    assert chance[7] == 0
    free = chance < 1
    torch.testing.assert_close(chance[free] / chance[3], (parts[free] / parts[3]).double())
    often, steps = torch.zeros(40), 2000
    for step in range(steps):
        at = torch.tensor((step + 0.5) / steps, dtype=torch.float64)
        monkeypatch.setattr(deciders.torch, "rand", lambda *_, at=at, **__: at)
        drawn = deciders._drawn(chance)
        assert 9 <= int(drawn.sum()) <= 11
        often += drawn
    torch.testing.assert_close(often / steps, chance.float(), atol=2 / steps, rtol=0)


def test_the_mean_over_draws_is_the_gradient(monkeypatch):
    monkeypatch.setattr(deciders, "LEAST", 1)
    learnt, steps = model("gated_attention", heads=2, backward=0.3), 100
    wanted, mean = gradients(model("gated_attention", heads=2)), {}
    off = []
    for step in range(steps):
        at = torch.tensor((step + 0.5) / steps, dtype=torch.float64)
        monkeypatch.setattr(deciders.torch, "rand", lambda *_, at=at, **__: at)
        one = gradients(learnt)
        off.append(float((one["pool.embed.0.weight"] - wanted["pool.embed.0.weight"]).norm()))
        mean = {key: mean.get(key, 0) + gradient / steps for key, gradient in one.items()}
    assert min(off) > 0  # no draw alone is the gradient
    for key, gradient in wanted.items():
        assert (mean[key] - gradient).norm() < 0.03 * gradient.norm() + 5e-4, key


def test_what_is_kept_is_of_the_few(monkeypatch):
    monkeypatch.setattr(deciders, "LEAST", 1)

    def kept(learnt: CaseModel) -> int:
        sizes: list[int] = []
        hooks = torch.autograd.graph.saved_tensors_hooks
        with hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            loss = learnt.loss(batch())
        loss.backward()
        return sum(sizes)

    whole, few = (kept(model("gated_attention", heads=1, **o)) for o in ({}, {"backward": 0.1}))
    assert few < 0.6 * whole


@pytest.mark.parametrize(("least", "drawn"), [(1, 11), (30, 30), (64, 57)])
def test_instances_of_a_learnt_network_get_their_share(monkeypatch, least, drawn):
    """What lies before the attention learns, too; those that were not drawn get nothing."""
    monkeypatch.setattr(deciders, "LEAST", least)
    values = batch().values.requires_grad_()
    learnt = model("gated_attention", heads=2, backward=0.2)
    shown = Batch(values, STARTS, *(("a", "b", "c"),) * 2, targets=batch().targets)
    learnt.loss(shown).backward()
    assert int(values.grad.any(1).sum()) == drawn


def in_blocks(monkeypatch, block: int = 16) -> None:
    """Every step is one of many instances."""
    monkeypatch.setattr(attending, "LARGE", 0)
    monkeypatch.setattr(attending, "BLOCK", block)


@pytest.mark.parametrize("name", ["attention", "gated_attention"])
@pytest.mark.parametrize("options", [{"heads": 4}, {"heads": 1, "branches": "multi"}])
def test_many_in_blocks_have_the_gradients_of_all_at_once(name, options, monkeypatch):
    wanted = gradients(model(name, **options, dropout=0.0))
    in_blocks(monkeypatch)
    told = gradients(model(name, **options, dropout=0.0))
    assert told.keys() == wanted.keys()
    for key, gradient in wanted.items():
        torch.testing.assert_close(told[key], gradient, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("few", [Few(), Few(tolerance=1e-12)])
def test_a_block_loses_going_back_what_it_lost_going_forward(few):
    """The oracle keeps the graph of every block."""
    pool = model("gated_attention", heads=4).pool
    values, upstream = batch().values, (torch.randn(57, 64), torch.randn(57, 4, 1))
    upstream[0][40:] = upstream[1][40:] = 0  # of no block after the second, and of a part of it
    torch.manual_seed(5)
    parts = zip(*(pool._both(values[i : i + 16], None) for i in range(0, 57, 16)), strict=True)
    whole = [torch.cat(columns) for columns in parts]
    after = torch.rand(())
    torch.manual_seed(5)
    told = through_few(pool._both, values, pool.parameters(), few, block=16)
    for one, other in zip(told, whole, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)
    learnt = list(pool.parameters())
    found = torch.autograd.grad(told, learnt, upstream)
    assert torch.rand(()) == after
    for one, other in zip(found, torch.autograd.grad(whole, learnt, upstream), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_values_that_learn_get_their_gradient_from_blocks(monkeypatch):
    def to_values() -> Tensor:
        values = batch().values.requires_grad_()
        shown = Batch(values, STARTS, *(("a", "b", "c"),) * 2, targets=batch().targets)
        model("gated_attention", heads=2, dropout=0.0).loss(shown).backward()
        return values.grad

    wanted = to_values()
    in_blocks(monkeypatch)
    torch.testing.assert_close(to_values(), wanted, atol=1e-6, rtol=1e-5)


def test_no_graph_is_larger_than_a_block(monkeypatch):
    """Attention layers of all instances are neither kept nor made at once."""
    in_blocks(monkeypatch)
    learnt, most = model("gated_attention", heads=1), []
    own = {p.data_ptr() for p in learnt.parameters()}

    def see(tensor: Tensor) -> Tensor:
        if tensor.shape[-1:] == (WIDTH,) and tensor.data_ptr() not in own:
            most.append(len(tensor))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        learnt.loss(batch()).backward()
    assert max(most) == 16  # what the first layer keeps, which is what it was given


def test_hidden_layers_with_dropout_learn_at_once(monkeypatch):
    """They draw by torch's own layer, which cannot draw for some instances what it drew for all."""
    wanted = gradients(model("gated_attention", heads=2, hidden=[8]))
    in_blocks(monkeypatch)
    told = gradients(model("gated_attention", heads=2, hidden=[8]))
    assert all(torch.equal(told[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("keep", [0.75, 0.7])
@pytest.mark.parametrize("dim", [0, 1])
def test_what_is_drawn_for_rows_was_drawn_for_all(keep, dim):
    chosen = torch.tensor([1, 4, 5])
    torch.manual_seed(0)
    mask, _ = kept_mask(torch.empty(9, 9, 3), keep)
    after = torch.rand(())
    torch.manual_seed(0)
    part, _ = kept_mask(torch.empty(9, 9, 3).index_select(dim, chosen), keep, Rows(chosen, 9), dim)
    assert torch.equal(part, mask.index_select(dim, chosen))
    assert torch.rand(()) == after


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backward": 0.0}, "backward is 0.0"),
        ({"tolerance": 1.0}, "tolerance is 1.0"),
        ({"backward": 0.5, "tolerance": 0.1}, "use one"),
        ({"backward": 0.5, "hidden": [8]}, "set dropout: 0 or hidden"),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    with pytest.raises(RecipeError, match=said):
        model("gated_attention", **options)
