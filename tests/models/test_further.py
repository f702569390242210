"""A further head sees the same bags as the first, whichever way a model decides."""

import pytest
import torch

from wholecase.models import AGGREGATORS, HEADS, POOLINGS, Batch, CaseModel

WIDTH, LENGTHS = 5, (2, 1, 4, 3)
WAYS = {
    "case": lambda: {"pool": AGGREGATORS["gated_attention"](WIDTH, size="small", dropout=0.0)},
    "images": lambda: {"pool": AGGREGATORS["mean"](WIDTH), "images": POOLINGS["max"]()},
    "instance": lambda: {"pool": POOLINGS["max"]()},
    "instance of images": lambda: {"pool": POOLINGS["max"](), "images": POOLINGS["mean"]()},
}


def model(way: str, head: str = "multiclass") -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = WAYS[way]()
        width = getattr(parts["pool"], "embedding_width", WIDTH)
        also = {"kind": (HEADS[head](width, 3, dropout=0.0), 0.3)}
        return CaseModel(**parts, head=HEADS["binary"](width, 2, dropout=0.0), also=also)


def batch(which: tuple[int, ...] = (0, 1, 2, 3)) -> Batch:
    """Case 1 and case 2 have no further label; every instance is an image."""
    values = torch.randn(sum(LENGTHS), WIDTH, generator=torch.Generator().manual_seed(3))
    bags = values.split(LENGTHS)
    kind = torch.eye(3)[[0, 0, 1, 2]]
    kind[1:3] = torch.nan
    starts = torch.tensor([0, *(LENGTHS[i] for i in which)]).cumsum(0)
    names = tuple(str(i) for i in which)
    return Batch(
        torch.cat([bags[i] for i in which]),
        starts,
        names,
        names,
        targets={"label": torch.eye(2)[[0, 1, 1, 0]][list(which)], "kind": kind[list(which)]},
        images=torch.arange(int(starts[-1]) + 1),
    )


@pytest.mark.parametrize("head", ["multiclass", "clam"])
@pytest.mark.parametrize("way", WAYS)
def test_the_loss_is_a_mean_over_cases_whoever_is_labelled(way: str, head: str) -> None:
    made = model(way, head)
    alone = torch.stack([made.loss(batch((i,))) for i in range(4)])
    torch.testing.assert_close(made.loss(batch()), alone.mean())
    first = torch.stack([made.head.loss(made(batch((i,))), batch((i,))) for i in range(4)])
    assert torch.equal(alone[1:3], first[1:3])
    assert (alone[[0, 3]] > first[[0, 3]]).all()


@pytest.mark.parametrize("way", WAYS)
def test_the_first_head_answers_as_it_does_alone(way: str) -> None:
    made = model(way)
    with torch.no_grad():
        answer = made.eval()(batch())
        alone = CaseModel(pool=made.pool, head=made.head, images=made.images).eval()(batch())
    assert torch.equal(answer.logits, alone.logits)
    assert torch.equal(answer.pooled.weights, alone.pooled.weights)
    assert answer.also["kind"].logits.shape == (4, 3)


def test_a_weight_scales_the_penalty_too() -> None:
    pool = AGGREGATORS["mean"](WIDTH)
    heads = [HEADS["binary"](WIDTH, 2, hidden=(4,), l2=0.5) for _ in range(2)]
    made = CaseModel(pool=pool, head=heads[0], also={"kind": (heads[1], 0.1)})
    torch.testing.assert_close(made.penalty(), heads[0].penalty() + 0.1 * heads[1].penalty())
