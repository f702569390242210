"""Views know the coarser ones, then all; a magnification that is missing is nowhere."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models import Batch, CaseModel, Embedded
from wholecase.models.aggregators import CrossMagnification
from wholecase.models.backbones import PerMagnification, SmallCnn
from wholecase.models.backbones.attended import Attended
from wholecase.models.heads import Binary

SCALES = [40, 100, 200, 400]


def aggregator(**options: object) -> CrossMagnification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = CrossMagnification(6, **{"scales": SCALES, "inner": 8, "heads": 2, **options})
        with torch.no_grad():
            made.importance.copy_(torch.tensor([0.3, -0.2, 0.5, 0.1])[: len(made.scales)])
    return made


def bag(*scales: float, seed: int = 0) -> Embedded:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(scales), 6, generator=generator)
    return Embedded(values, torch.tensor([0, len(scales)]), torch.tensor(scales))


def asked(part, hidden: torch.Tensor, who: int, whom: list[int]) -> torch.Tensor:
    """One instance's attention, head by head, in plain loops."""
    heard = torch.zeros(8)
    if whom:
        for head in range(2):
            own = slice(4 * head, 4 * head + 4)
            query = part.query(hidden[who])[own]
            keys = torch.stack([part.key(hidden[j])[own] for j in whom])
            share = (keys @ query / 2).softmax(0)
            values = torch.stack([part.value(hidden[j])[own] for j in whom])
            heard[own] = share @ values
    return part.norm(hidden[who] + part.output(heard))


@pytest.mark.parametrize("scales", [(40.0, 100.0, 200.0, 400.0), (400.0, 40.0), (200.0, 200.0)])
def test_a_naive_loop_agrees(scales: tuple[float, ...]) -> None:
    pool, embedded = aggregator(), bag(*scales)
    rank = [SCALES.index(int(scale)) for scale in scales]
    with torch.no_grad():
        pooled = pool(embedded)
        hidden = pool.embed(embedded.values) + pool.magnification.weight[rank]
        lower = [[j for j in range(len(rank)) if rank[j] < rank[i]] for i in range(len(rank))]
        hidden = torch.stack([asked(pool.hierarchy, hidden, i, lower[i]) for i in range(len(rank))])
        every = list(range(len(rank)))
        hidden = torch.stack([asked(pool.fusion, hidden, i, every) for i in every])
    shares = torch.zeros(len(rank))
    present = sorted(set(rank))
    for share, own in zip(pool.importance[present].softmax(0), present, strict=True):
        alike = [i for i in every if rank[i] == own]
        shares[alike] = share.detach() / len(alike)
    torch.testing.assert_close(pooled.weights[:, 0], shares)
    torch.testing.assert_close(pooled.instances, hidden)
    torch.testing.assert_close(pooled.embedding[0, 0], shares @ hidden)


def test_a_coarser_view_never_hears_a_finer_one_before_the_fusion() -> None:
    pool, embedded = aggregator(), bag(40.0, 100.0, 400.0)
    rank = torch.tensor([0, 1, 3])
    hidden = torch.randn(3, 8)
    for changed, heard in ((0, [True, True, True]), (1, [False, True, True]), (2, [False] * 2)):
        other = hidden.clone()
        other[changed, ::2] += 1
        with torch.no_grad():
            before, after = (pool.hierarchy(h, embedded.starts, rank) for h in (hidden, other))
        moved = (before - after).abs().amax(1) > 1e-6
        assert moved[: len(heard)].tolist() == heard


def test_micrometres_turn_the_hierarchy_round() -> None:
    pool = aggregator(scales=[0.25, 0.5, 1.0], finer="low")
    assert pool.scales.tolist() == [1.0, 0.5, 0.25]
    assert list(pool.importances()) == [1.0, 0.5, 0.25]
    assert sum(pool.importances().values()) == pytest.approx(1)


def views(*each: tuple[float, ...]) -> Batch:
    scales = [scale for case in each for scale in case]
    generator = torch.Generator().manual_seed(len(scales))
    pixels = torch.rand(len(scales), 3, 16, 16, generator=generator)
    names = tuple(str(number) for number in range(len(each)))
    starts = torch.tensor([0, *(len(case) for case in each)]).cumsum(0)
    labels = {"label": torch.eye(2)[torch.arange(len(each)) % 2]}
    return Batch(pixels, starts, names, names, torch.tensor(scales), targets=labels)


def alone(batch: Batch, case: int) -> Batch:
    rows = slice(int(batch.starts[case]), int(batch.starts[case + 1]))
    name = (batch.cases[case],)
    return Batch(
        batch.values[rows],
        torch.tensor([0, rows.stop - rows.start]),
        name,
        name,
        batch.scale[rows],
        targets={"label": batch.targets["label"][case : case + 1]},
    )


@pytest.mark.parametrize("shared", [True, False])
def test_company_of_other_magnifications_moves_no_answer_and_no_gradient(shared: bool) -> None:
    """Asked and taught with others that have more or fewer views, and alone."""

    def network(_: object) -> Attended:
        return Attended(lambda _: SmallCnn(3, channels=(4, 6)), network={}, reduction=2)

    torch.manual_seed(0)
    backbone = PerMagnification(network, scales=SCALES, network={}, shared=shared)
    pool = CrossMagnification(6, scales=SCALES, inner=8, heads=2)
    model = CaseModel(backbone=backbone, pool=pool, head=Binary(8, 2, dropout=0.0))
    batch = views((40.0, 100.0, 200.0, 400.0), (200.0,), (400.0, 40.0), (100.0, 200.0, 400.0))
    together = model(batch).logits
    for case in range(4):
        torch.testing.assert_close(model(alone(batch, case)).logits[0], together[case])

    def gradients(*batches: Batch) -> list[torch.Tensor]:
        model.zero_grad()
        sum(model.loss(one) * len(one.cases) for one in batches).backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    whole, parts = gradients(batch), gradients(*(alone(batch, case) for case in range(4)))
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_part_of_a_case_is_that_case_without_the_rest() -> None:
    """What is missing is not a view of zeros: the bag without it is all that is asked."""
    pool = aggregator()
    full = bag(40.0, 100.0, 200.0, 400.0)
    for kept in product([False, True], repeat=4):
        rows = torch.tensor(kept).nonzero()[:, 0]
        if len(rows):
            part = Embedded(full.values[rows], torch.tensor([0, len(rows)]), full.scale[rows])
            weights = pool(part).weights[:, 0]
            expected = pool.importance[rows].softmax(0)
            torch.testing.assert_close(weights, expected)


def test_attention_over_places_and_channels_agrees_with_a_loop() -> None:
    torch.manual_seed(0)
    network = Attended(lambda _: SmallCnn(3, channels=(6,)), network={}, reduction=2)
    maps = torch.rand(2, 6, 7, 5)
    batch = Batch(torch.rand(2, 3, 14, 10), torch.tensor([0, 2]), ("a",), ("a",))
    with torch.no_grad():
        told = network.embedded(maps, batch).values
        for t in range(2):
            scored = []
            for scale, score in zip((1, 2, 4), network.places.scores, strict=True):
                shape = (-(-7 // scale), -(-5 // scale))
                coarse = score(F.adaptive_avg_pool2d(maps[t : t + 1], shape))
                scored.append(F.interpolate(coarse, (7, 5), mode="bilinear")[0, 0])
            fused = sum(
                w * s for w, s in zip(network.places.fuse.weight.flatten(), scored, strict=True)
            )
            share = fused.flatten().softmax(0).view(7, 5)
            assert float(share.sum()) == pytest.approx(1)
            mean = (maps[t] * share).sum((1, 2))
            most = (maps[t] * share * 35).amax((1, 2))
            gate = torch.sigmoid(network.channels.layers(mean) + network.channels.layers(most))
            torch.testing.assert_close(told[t], mean * gate)


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(RecipeError, match="cannot split 8 into 3 heads"):
        aggregator(heads=3)
    with pytest.raises(RecipeError, match=r"aggregator.scales are positive numbers that differ"):
        aggregator(scales=[40, 40])
    with pytest.raises(RecipeError, match="finer is high or low, not 'up'"):
        aggregator(finer="up")
    with pytest.raises(RecipeError, match="fill the manifest's column `magnification`"):
        aggregator()(Embedded(torch.zeros(1, 6), torch.tensor([0, 1])))
    with pytest.raises(RecipeError, match=r"has the scale 63, and model.aggregator.scales are 40"):
        aggregator()(bag(40.0, 63.0))
    with pytest.raises(RecipeError, match="scales and a reduction of 1 or more"):
        Attended(lambda _: SmallCnn(3, channels=(6,)), network={}, scales=[0])


def test_before_learning_a_view_says_more_than_the_name_of_its_magnification() -> None:
    """Vectors of networks differ by tenths; a name of deviation 1 drowned them, and nothing was
    learnt for hundreds of steps."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        pool = CrossMagnification(64, scales=SCALES, inner=32, heads=4)
        views = 0.1 * torch.randn(20, 64)

    def said(values: torch.Tensor, scale: float) -> torch.Tensor:
        one = torch.arange(len(values) + 1)
        return pool(Embedded(values, one, torch.full((len(values),), scale))).instances

    coarse, fine = said(views, 40.0), said(views, 400.0)
    by_name = (coarse - fine).norm(dim=1).mean()
    by_view = (coarse - coarse.roll(1, 0)).norm(dim=1).mean()
    assert by_name < by_view / 2
