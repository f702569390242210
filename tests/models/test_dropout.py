"""Dropout by bytes: what is kept, how often, how it is scaled, and what flows back."""

import math

import pytest
import torch
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models.dropout import dropout_share, dropped, dropped_relu, kept_mask, twice

KINDS = [torch.float32, torch.bfloat16, torch.float64]
SHARES = [0.25, 0.3, 0.5, 0.9]
SIGMAS = 5
"""Of a mean over many draws; a right one is further off once in two million seeds."""


def far(probability: float, draws: int) -> float:
    """How far a share of independent draws may be from its probability."""
    return SIGMAS * math.sqrt(probability * (1 - probability) / draws)


def drawn(*shape: int, kind: torch.dtype = torch.float32) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(7)).to(kind)
    return values.where(values != 0, 1)  # a zero in the result was then made by the mask


def exact(share: float) -> float:
    """The probability that is nearest to the one that is wanted, in eight or sixteen bits."""
    eighth = (1 - share) * 256
    return eighth / 256 if eighth == int(eighth) else round((1 - share) * 65536) / 65536


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", SHARES)
def test_a_value_is_zero_or_exactly_scaled(share: float, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    values = drawn(40, 25, kind=kind)
    told = dropped(values, share)
    assert told.shape == values.shape
    assert told.dtype == kind
    kept = told != 0
    assert torch.equal(told[kept], (values * (1 / exact(share)))[kept])
    assert abs(kept.float().mean().item() - exact(share)) < far(share, 1000)


@pytest.mark.parametrize("share", SHARES)
def test_what_is_told_as_kept_is_what_is_drawn(share: float) -> None:
    torch.manual_seed(1)
    draws = 2**20
    mask, kept = kept_mask(torch.empty(draws), 1 - share)
    assert kept == exact(share)
    assert abs(kept - (1 - share)) <= 2**-17
    assert bool(((mask == 0) | (mask == 1)).all())
    assert abs(mask.double().mean().item() - kept) < far(kept, draws)


@pytest.mark.parametrize("keep", [1 / 256, 255 / 256, 1 / 65536, 65535 / 65536])
def test_the_ends_of_both_widths(keep: float) -> None:
    torch.manual_seed(2)
    draws = 2**22
    mask, kept = kept_mask(torch.empty(draws), keep)
    assert kept == keep
    assert abs(mask.double().mean().item() - keep) < far(keep, draws)


def test_something_always_stays_possible() -> None:
    assert kept_mask(torch.empty(8), 1e-9)[1] == 1 / 65536
    mask, kept = kept_mask(torch.empty(4096), 1.0)
    assert kept == 1
    assert bool(mask.all())


@pytest.mark.parametrize("share", SHARES)
def test_the_mean_stays(share: float) -> None:
    torch.manual_seed(3)
    draws = 2**20
    told = dropped(torch.full((draws,), 3.0), share).double().mean().item()
    # of one draw, 3/kept times a coin of probability kept
    kept = exact(share)
    assert abs(told - 3) < 3 / kept * far(kept, draws) + 3 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", SHARES)
def test_the_gradient_is_that_of_a_mask_and_a_factor(share: float, kind: torch.dtype) -> None:
    torch.manual_seed(4)
    values = drawn(9, 13, kind=kind).requires_grad_()
    told = dropped(values, share)
    upstream = drawn(9, 13, kind=kind).flip(0)
    told.backward(upstream)
    mask = (told != 0).to(kind)
    torch.testing.assert_close(values.grad, upstream * mask / exact(share))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.0, *SHARES])
def test_relu_and_dropout_at_once_are_the_two_after_each_other(share, kind) -> None:
    torch.manual_seed(5)
    values = drawn(60, 11, kind=kind).requires_grad_()
    told = dropped_relu(values * 1, share)
    upstream = drawn(60, 11, kind=kind).flip(1)
    told.backward(upstream)
    assert told.dtype == values.grad.dtype == kind
    # among what the ReLU lets through, the mask is what is not zero
    through = values.detach() > 0
    mask = (told != 0) | ~through
    assert abs(mask[through].float().mean().item() - (1 - share)) <= far(share, int(through.sum()))
    naive = values.detach().clone().requires_grad_()
    by_hand = torch.relu(naive) * mask.to(kind) / (exact(share) if share else 1)
    by_hand.backward(upstream)
    torch.testing.assert_close(told, by_hand)
    torch.testing.assert_close(values.grad, naive.grad)


def test_the_in_place_form_uses_the_memory_it_is_given() -> None:
    values = drawn(5, 3)
    for share in (0.0, 0.5):
        assert dropped_relu(values, share).data_ptr() == values.data_ptr()


def test_a_share_of_nothing_changes_nothing_and_draws_nothing() -> None:
    before = torch.get_rng_state()
    values = drawn(6, 5)
    assert torch.equal(dropped(values, 0.0), values)
    assert torch.equal(dropped_relu(values.clone(), 0.0), values.relu())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("share", [0.5, 0.3])
@pytest.mark.parametrize("shape", [(0,), (0, 4), (1,), (3,), (7,), (9,), (5, 13), (2, 3, 11)])
def test_counts_that_fill_no_word(shape: tuple[int, ...], share: float) -> None:
    torch.manual_seed(6)
    values = drawn(*shape)
    assert dropped(values, share).shape == shape
    mask, _ = kept_mask(values, 1 - share)
    assert mask.shape == shape
    assert mask.dtype == values.dtype
    # the last number of an unfilled word is drawn, too
    often = torch.stack([kept_mask(values, 1 - share)[0].flatten()[-1:] for _ in range(60)])
    assert values.numel() == 0 or set(often.flatten().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("share", SHARES)
def test_torchs_seed_says_what_is_dropped(share: float) -> None:
    values = drawn(50, 30)
    told = []
    for seed in (11, 11, 12):
        torch.manual_seed(seed)
        told.append((dropped(values, share), dropped(values, share)))
    assert torch.equal(told[0][0], told[1][0])
    assert torch.equal(told[0][1], told[1][1])
    assert not torch.equal(told[0][0], told[0][1]), "the second draw is another"
    assert not torch.equal(told[0][0], told[2][0])


@pytest.mark.parametrize("share", [0.5, 0.3])
@pytest.mark.parametrize("apart", [1, 2, 3, 4, 7, 8, 64])
def test_neighbours_know_nothing_of_each_other(apart: int, share: float) -> None:
    torch.manual_seed(13)
    count = 2**19
    mask, kept = kept_mask(torch.empty(count), 1 - share)
    centred = (mask - kept).double()
    correlation = (centred[apart:] * centred[:-apart]).mean().item() / (kept * (1 - kept))
    # the mean of products of two independent coins, each of unit deviation
    assert abs(correlation) < SIGMAS / math.sqrt(count - apart)


def test_two_draws_know_nothing_of_each_other() -> None:
    torch.manual_seed(14)
    first, second = (kept_mask(torch.empty(2**20), 0.75)[0].double() - 0.75 for _ in range(2))
    assert abs((first * second).mean().item()) / (0.75 * 0.25) < SIGMAS / 2**10


def test_one_mask_for_a_product_keeps_as_much_as_two() -> None:
    torch.manual_seed(15)
    draws = 2**20
    first, second = (kept_mask(torch.empty(draws), 0.7)[0] for _ in range(2))
    both = (first * second).double().mean().item()
    assert abs(both - (1 - twice(0.3))) < far(1 - twice(0.3), draws) + 2**-15


@pytest.mark.parametrize("share", [-0.1, 1.0, 25.0, math.nan, math.inf])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(RecipeError, match=rf"^dropout is 0 or more and less than 1, not {share}"):
        dropout_share(share)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.999])
def test_what_is_a_share_comes_back(share: float) -> None:
    assert dropout_share(share) == share
