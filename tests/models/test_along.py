"""Context along a series: neighbours, smoothing, a recurrent network; never across images."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT, GREY, RGB
from wholecase.models import Batch, CaseModel
from wholecase.models.along import Recurrent, Smoothing, neighbour, series_bounds
from wholecase.models.backbones import ResNetGrey
from wholecase.models.heads import Binary
from wholecase.models.inputs import ImageNet, Window
from wholecase.models.poolings import POOLINGS, MaxLogit, MeanLogit, TopK

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


def bounds_of(lengths: list[int]) -> Tensor:
    return torch.tensor([0, *lengths]).cumsum(0)


@given(LENGTHS, st.integers(-3, 3))
def test_a_neighbour_is_of_the_same_image(lengths: list[int], step: int) -> None:
    bounds, expected = bounds_of(lengths), []
    for begin, length in zip(bounds.tolist(), lengths, strict=False):
        expected += [begin + min(max(i + step, 0), length - 1) for i in range(length)]
    assert neighbour(sum(lengths), bounds, step).tolist() == expected


def positions(lengths: list[int], mm: float = 5.0) -> Tensor:
    place = torch.cat([mm * 1000 * torch.arange(n) for n in lengths])
    return torch.stack([torch.zeros(len(place)), torch.zeros(len(place)), place], 1)


@given(LENGTHS)
def test_smoothing_is_a_mean_within_the_image(lengths: list[int]) -> None:
    weights = Smoothing(4.0)(bounds_of(lengths), positions(lengths))
    torch.testing.assert_close(weights.sum(1), torch.ones(sum(lengths)))
    for i in range(sum(lengths)):
        for j in range(sum(lengths)):
            same = [
                sum(lengths[:n]) <= min(i, j) and max(i, j) < sum(lengths[: n + 1])
                for n in range(len(lengths))
            ]
            assert any(same) or weights[i, j] == 0


def test_smoothing_goes_by_distance_and_not_by_number() -> None:
    place = torch.tensor([[0, 0, 0], [0, 0, 1000.0], [0, 0, 50_000.0]])
    weights = Smoothing(2.0)(torch.tensor([0, 3]), place)
    assert weights[0, 2] == 0
    assert weights[2, 2] == 1
    near = torch.exp(torch.tensor(-0.5 * 0.25))
    torch.testing.assert_close(weights[0, 1], near / (1 + near))


def test_without_places_smoothing_is_refused() -> None:
    with pytest.raises(RecipeError, match="smoothing"):
        Smoothing(2.0)(torch.tensor([0, 1]), torch.full((1, 3), torch.nan))


def test_a_recurrent_network_begins_as_none_and_sees_one_series() -> None:
    torch.manual_seed(0)
    gru, values = Recurrent(4, hidden=3), torch.randn(7, 4)
    bounds = torch.tensor([0, 3, 7])
    torch.testing.assert_close(gru(values, bounds), values)
    torch.nn.init.normal_(gru.out.weight)
    both = gru(values, bounds)
    torch.testing.assert_close(gru(values[:3], torch.tensor([0, 3])), both[:3])
    torch.testing.assert_close(gru(values[3:], torch.tensor([0, 4])), both[3:])
    assert not torch.allclose(gru(values.flip(0)[:4], torch.tensor([0, 4])).flip(0), both[3:])


def test_slices_beside_are_channels_in_order() -> None:
    pixels = torch.arange(3, dtype=torch.int16).view(3, 1, 1, 1) * 10
    seen = Window(CT, centre=40, width=80, beside=1)(pixels, torch.tensor([0, 2, 3]))
    expected = torch.tensor([[0, 0, 10], [0, 10, 10], [20, 20, 20]]) / 80
    torch.testing.assert_close(seen[:, :, 0, 0], expected)
    assert Window(CT, windows=[[40, 80], [80, 200]], beside=2).channels == 10


@pytest.mark.parametrize("kind", [GREY, RGB])
def test_three_grey_slices_are_the_colours(kind: object) -> None:
    pixels = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1)
    pixels = pixels.expand(3, kind.channels, 1, 1)
    alone = ImageNet(kind)(pixels)
    seen = ImageNet(kind, beside=1)(pixels)
    assert seen.shape == (3, 3, 1, 1)
    torch.testing.assert_close(seen[1], torch.stack([alone[0, 0], alone[1, 1], alone[2, 2]]))
    torch.testing.assert_close(seen[0, :2], alone[0, :2])


def batch_of(lengths: list[int], starts: list[int]) -> Batch:
    torch.manual_seed(5)
    pixels = torch.randint(0, 80, (sum(lengths), 1, 32, 32), dtype=torch.int16)
    names = tuple(str(i) for i in range(len(starts) - 1))
    eye = torch.eye(2)[torch.arange(len(names)) % 2]
    return Batch(
        pixels,
        torch.tensor(starts),
        names,
        names,
        position=positions(lengths),
        targets={"label": eye},
        images=bounds_of(lengths),
    )


def model_of(pool: object, **parts: object) -> CaseModel:
    torch.manual_seed(0)
    seen = Window(CT, centre=40, width=80, beside=1)
    backbone = ResNetGrey(3, network="resnet10t")
    head = Binary(backbone.width, 2, hidden=(4,))
    return CaseModel(pool=pool, head=head, backbone=backbone, input=seen, **parts)


@pytest.mark.parametrize("name", POOLINGS)
def test_a_patient_alone_or_in_company_gets_the_same_answer(name: str) -> None:
    model = model_of(POOLINGS[name](), smoothing=Smoothing(4.0)).eval()
    whole = batch_of([3, 2, 4], [0, 5, 9])
    last = Batch(
        whole.values[5:],
        torch.tensor([0, 4]),
        ("1",),
        ("1",),
        position=whole.position[5:],
        targets={"label": whole.targets["label"][1:]},
        images=torch.tensor([0, 4]),
    )
    with torch.no_grad():
        both, alone = model(whole), model(last)
    torch.testing.assert_close(both.logits[1:], alone.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both.pooled.weights[5:], alone.pooled.weights, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(both.pooled.weights[:5].sum(), torch.tensor(1.0))


@pytest.mark.parametrize("pool", [MaxLogit(), TopK(k=2)])
def test_few_that_decide_have_the_gradient_of_all(pool: object) -> None:
    """Those beside a slice go into it as channels, and its smoothed logit rests on theirs."""
    grads = []
    for few in (True, False):
        model = model_of(pool, smoothing=Smoothing(4.0)).eval()
        type(pool).few, was = few, type(pool).few
        try:
            model.loss(batch_of([3, 2, 4], [0, 5, 9])).backward()
        finally:
            type(pool).few = was
        grads.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in grads[1].items():
        torch.testing.assert_close(grads[0][name], gradient, rtol=1e-4, atol=1e-5)


def test_a_sequence_learns_through_all_of_a_series() -> None:
    parts = {"sequence": Recurrent(512, hidden=4)}
    model = model_of(MeanLogit(), **parts).eval()
    torch.nn.init.normal_(model.sequence.out.weight)
    answer = model(batch_of([3, 2, 4], [0, 5, 9]))
    answer.logits.sum().backward()
    assert model.sequence.gru.weight_ih_l0.grad.abs().sum() > 0


@given(LENGTHS, LENGTHS)
def test_lone_pictures_in_a_row_are_a_series_and_cases_never_join(
    first: list[int], second: list[int]
) -> None:
    starts, expected = bounds_of([sum(first), sum(second)]), [0]
    for lengths in (first, second):
        runs: list[list[int]] = []
        for length in lengths:
            if length == 1 and runs and set(runs[-1]) == {1}:
                runs[-1].append(1)
            else:
                runs.append([length])
        for run in runs:
            expected.append(expected[-1] + sum(run))
    assert series_bounds(bounds_of([*first, *second]), starts).tolist() == expected
