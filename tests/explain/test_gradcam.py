"""Both maps of a network taught from pixels follow what it was taught to see."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from toys import TOYS, InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError
from wholecase.explain import grad_cam, position_map
from wholecase.models import Batch, CaseModel, Embedded, answers
from wholecase.models.aggregators import MeanPool, SelfAttention
from wholecase.models.backbones import Paired, PerMagnification, SmallCnn
from wholecase.models.heads import Binary, Multiclass
from wholecase.training import Example, Schedule, Shuffled, fit, pack

SIDE, BLOB = 48, 10


def example(rng: np.random.Generator, label: int, at: Sequence[int] | None = None) -> Example:
    """Noise, and for label 1 a bright square somewhere."""
    pixels = rng.random((1, 3, SIDE, SIDE)) * 0.4 + 0.1
    y, x = rng.integers(0, SIDE - BLOB, 2) if at is None else at
    if label:
        pixels[0, :, y : y + BLOB, x : x + BLOB] += 0.5
    name = str(rng.integers(2**60))
    values = torch.from_numpy((pixels * 255).astype(np.uint8))
    return Example(name, name, values, targets=target(label))


def side(seed: int, count: int) -> Shuffled:
    rng = np.random.default_rng(seed)
    made = [example(rng, i % 2) for i in range(count)]
    return Shuffled(InMemory(made), seed, instances=64, cases=8)


def fresh(seed: int = 1) -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return CaseModel(
            backbone=SmallCnn(3, channels=(16, 24, 32)),
            pool=SelfAttention(32, inner=16),
            head=Binary(16, 2),
        )


@pytest.fixture(scope="module")
def taught() -> CaseModel:
    model = fresh()
    history = fit(model, (side(1, 64), side(2, 32)), Schedule(epochs=16, rate=3e-3), seed=0)
    assert min(epoch.valid_loss for epoch in history.epochs) < 0.1
    return model


def centre(image: np.ndarray) -> np.ndarray:
    """Of mass, in pixels."""
    at = (np.arange(image.shape[0]) + 0.5) * SIDE / image.shape[0]
    share = image / image.sum()
    return np.array([share.sum(1) @ at, share.sum(0) @ at])


def attended(model: CaseModel, batch) -> np.ndarray:
    (answer,) = answers(model, [batch])
    return position_map(answer.pooled).numpy()


@pytest.mark.parametrize("look", [lambda m, b: grad_cam(m, b, 1), attended], ids=["cam", "places"])
def test_the_map_moves_with_the_object(taught: CaseModel, look) -> None:
    rng, misses = np.random.default_rng(9), []
    for at in [(2, 2), (2, 34), (18, 20), (34, 4), (36, 36)]:
        (image,) = look(taught, pack([example(rng, 1, at)]))
        assert np.ptp(image) > 0
        misses.append(np.abs(centre(image) - (np.array(at) + BLOB / 2)).max())
    assert max(misses) < BLOB, misses


def test_grad_cam_is_the_published_sum(taught: CaseModel) -> None:
    """Against hooks and a plain loop over maps."""
    batch = pack([example(np.random.default_rng(1), 1)])
    kept: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    hook = taught.backbone.blocks[-1].register_forward_hook(keep)
    taught.eval()
    taught(batch).logits.sum().backward()
    hook.remove()
    taught.zero_grad()
    maps, gradient = kept[0][0].detach().numpy(), kept[0].grad[0].numpy()
    expected = sum(g.mean() * m for g, m in zip(gradient, maps, strict=True))
    np.testing.assert_allclose(grad_cam(taught, batch, 1)[0], np.maximum(expected, 0), atol=1e-5)


def test_the_classes_point_opposite_ways(taught: CaseModel) -> None:
    batch = pack([example(np.random.default_rng(1), 1)])
    both = grad_cam(taught, batch, 0) * grad_cam(taught, batch, 1)
    assert not both.any(), "with one logit what speaks for a class speaks against the other"


def test_several_classes_and_several_instances() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CaseModel(
            backbone=SmallCnn(3, channels=(4, 8)), pool=MeanPool(8), head=Multiclass(8, 3)
        )
    rng = np.random.default_rng(0)
    values = torch.cat([example(rng, 1).values for _ in range(3)])
    two = Example("a", "a", values[:2], targets=target(1))
    one = Example("b", "b", values[2:], targets=target(1))
    together = grad_cam(model, pack([two, one]), 2)
    alone = np.concatenate([grad_cam(model, pack([e]), 2) for e in (two, one)])
    assert together.shape == (3, SIDE // 2, SIDE // 2)
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_the_model_is_left_as_it_was(taught: CaseModel) -> None:
    batch = pack([example(np.random.default_rng(1), 1)])
    taught.train()
    taught.loss(batch).backward()
    gradients = [p.grad.clone() for p in taught.parameters()]
    with torch.no_grad():
        grad_cam(taught, batch, 1)
    assert taught.training
    for parameter, gradient in zip(taught.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)
        assert parameter.requires_grad
    taught.zero_grad()


def test_a_sure_answer_still_has_a_map(taught: CaseModel) -> None:
    sure = fresh()
    sure.load_state_dict(taught.state_dict())
    with torch.no_grad():
        sure.head.judge.last.bias += 40
    batch = pack([example(np.random.default_rng(1), 1)])
    np.testing.assert_allclose(
        grad_cam(sure, batch, 1), grad_cam(taught, batch, 1), rtol=1e-3, atol=1e-5
    )


def test_positions_sum_to_one_over_a_case(taught: CaseModel) -> None:
    rng = np.random.default_rng(0)
    several = Example("a", "a", torch.cat([example(rng, 1).values for _ in range(3)]))
    (answer,) = answers(taught, [pack([several])])
    maps = position_map(answer.pooled)
    assert maps.shape == (3, 6, 6)
    assert float(maps.sum()) == pytest.approx(1, abs=1e-5)
    weights = answer.pooled.weights[:, 0]
    for t in (0, 17, 40, 107):
        row, column = answer.pooled.cell[t].tolist()
        assert maps[int(answer.pooled.origin[t]), row, column] == weights[t]


def test_a_network_without_maps_tells_where_it_attended_alone() -> None:
    toy = TOYS["a transformer's tokens"]
    model, (case,) = toy.model(), toy.examples(1, 1)
    with pytest.raises(RecipeError, match="needs a model that sees pixels through maps"):
        grad_cam(model, pack([case]), 1)
    (answer,) = answers(model, [pack([case])])
    assert position_map(answer.pooled).shape == (1, 3, 3)


def test_models_of_stored_features_have_neither_map() -> None:
    model = CaseModel(pool=MeanPool(4), head=Binary(4, 2))
    features = pack([Example("a", "a", torch.zeros(2, 4))])
    with pytest.raises(RecipeError, match="needs a model that sees pixels"):
        grad_cam(model, features, 1)
    pooled = model.pool(Embedded.of(features))
    with pytest.raises(RecipeError, match="needs a backbone that makes several vectors"):
        position_map(pooled)


def test_views_that_share_a_network_are_seen_through_it() -> None:
    """The same maps as without the table of scales."""
    torch.manual_seed(0)
    network, head = SmallCnn(3, channels=(4, 6)), Binary(6, 2)
    scales = torch.tensor([40.0, 100.0])
    views = Example("a", "a", torch.rand(2, 3, 16, 16), scale=scales)
    plain = CaseModel(backbone=network, pool=MeanPool(6), head=head)
    shared = PerMagnification(lambda _: network, scales=[40, 100], network={}, shared=True)
    told = grad_cam(CaseModel(backbone=shared, pool=MeanPool(6), head=head), pack([views]), 1)
    assert told.max() > 0
    np.testing.assert_array_equal(told, grad_cam(plain, pack([views]), 1))


def test_each_view_is_seen_through_the_network_of_its_magnification() -> None:
    """Against a plain loop over views, in whose order the networks take no part."""
    torch.manual_seed(0)
    networks = [SmallCnn(3, channels=(4, 6)) for _ in range(2)]
    head, apart = Binary(6, 2), iter(networks)
    backbone = PerMagnification(lambda _: next(apart), scales=[40, 100], network={})
    model = CaseModel(backbone=backbone, pool=MeanPool(6), head=head)
    scales = torch.tensor([100.0, 40.0, 100.0])
    views = Example("a", "a", torch.rand(3, 3, 16, 16), scale=scales)
    own = [networks[i] for i in (1, 0, 1)]
    maps = [
        net.features(Batch(views.values[i : i + 1], torch.tensor([0, 1]), ("",), ("",)))
        for i, net in enumerate(own)
    ]
    vectors = [net.pool(m).flatten(2).mean(2) for net, m in zip(own, maps, strict=True)]
    odds = head.logits(torch.cat(vectors).mean(0)[None, None])[0, 0]
    gradients = torch.autograd.grad(odds, maps)
    pairs = zip(gradients, maps, strict=True)
    expected = [(g.mean((2, 3))[..., None, None] * m).sum(1)[0] for g, m in pairs]
    told = grad_cam(model, pack([views]), 1)
    assert told.max() > 0
    np.testing.assert_allclose(told, torch.stack(expected).detach().relu(), atol=1e-6)


def test_networks_of_which_one_has_no_maps_have_none() -> None:
    apart = iter([SmallCnn(3, channels=(4, 6)), Paired(lambda n: n, members=two_of(3))])
    backbone = PerMagnification(lambda _: next(apart), scales=[40, 100], network={})
    model = CaseModel(backbone=backbone, pool=MeanPool(6), head=Binary(6, 2))
    views = Example("a", "a", torch.rand(1, 3, 16, 16), scale=torch.tensor([40.0]))
    with pytest.raises(RecipeError, match="needs a model that sees pixels through maps"):
        grad_cam(model, pack([views]), 1)


def two_of(width: int) -> list[SmallCnn]:
    return [SmallCnn(width, channels=(4, 3)) for _ in range(2)]
