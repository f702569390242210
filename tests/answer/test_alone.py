"""What a slice says alone is what the model says of a case that has no other; of one that knows its
neighbours, with these."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from toys import TOYS
from wholecase.answer import CaseBag, FoldModel, Reading, Vote
from wholecase.answer.trained import front_of
from wholecase.cohort import Case
from wholecase.core.kinds import CT
from wholecase.models import AGGREGATORS, POOLINGS, CaseModel
from wholecase.models.along import Smoothing
from wholecase.models.backbones import SmallCnn
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.recipes import read_recipe
from wholecase.training import Choices, Example

SLICES = 6


def member(pooling: str, cells: bool, temperature: float) -> FoldModel:
    """Of one vector for each slice, or of one for each of its positions."""
    toy = TOYS["brain-mets-ct"].model()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = CaseModel(
            backbone=SmallCnn(1, channels=(4, 5)) if cells else toy.backbone,
            input=Window(CT, centre=40, width=80, zscore="slice"),
            pool=POOLINGS[pooling](),
            head=Binary(5 if cells else 8, 2, hidden=(4,)),
        )
    recipe = read_recipe("brain-mets-ct")
    return FoldModel(0, recipe, model, Choices(temperature, 0.5))


def reading(slices: np.ndarray) -> Reading:
    count = len(slices)
    bag = CaseBag(
        values=slices.transpose(0, 2, 3, 1),
        scale=np.ones(count, np.float32),
        position_um=np.zeros((count, 3), np.float32),
        box_px=np.tile([0, 0, 8, 8], (count, 1)),
        image=np.zeros(count, np.int64),
        plane=np.arange(count),
    )
    return Reading(Case("c", "p", ()), bag, Example("c", "p", torch.from_numpy(slices)))


@pytest.mark.parametrize("cells", [False, True])
@pytest.mark.parametrize("pooling", ["max", "top_k", "noisy_or"])
def test_it_is_the_calibrated_answer_to_that_slice(pooling: str, cells: bool) -> None:
    slices = np.random.default_rng(1).normal(40, 20, (SLICES, 1, 8, 8)).astype(np.int16)
    judge = member(pooling, cells, 1.7)
    said = judge.judge(reading(slices), full=True)
    assert said.evidence is not None
    assert said.evidence.alone is not None
    each = [judge.judge(reading(slices[i : i + 1]), full=True) for i in range(SLICES)]
    expected = np.stack([one.probabilities for one in each])
    np.testing.assert_allclose(said.evidence.alone, expected, atol=1e-6)
    if pooling == "max":
        winner = int(said.evidence.weights.argmax())
        np.testing.assert_allclose(said.probabilities, said.evidence.alone[winner], atol=1e-6)


def test_members_of_a_vote_are_averaged() -> None:
    slices = np.random.default_rng(1).normal(40, 20, (SLICES, 1, 8, 8)).astype(np.int16)
    two = member("max", False, 1.0), member("mean", False, 2.5)
    parts = [one.judge(reading(slices), full=True).evidence for one in two]
    told = Vote("v", two).judge(reading(slices), full=True).evidence
    assert told is not None
    np.testing.assert_allclose(told.alone, np.mean([p.alone for p in parts], 0), atol=1e-7)


def test_models_of_one_network_let_a_case_pass_once() -> None:
    slices = np.random.default_rng(1).normal(40, 20, (SLICES, 1, 8, 8)).astype(np.int16)
    first, other = (member("mean", True, 1.0) for _ in range(2))
    alike = replace(first, model=deepcopy(first.model), choices=Choices(2.0, 0.5))
    with torch.no_grad():
        alike.model.head.judge.last.bias.add_(1.0)
        next(other.model.backbone.parameters()).add_(0.1)
    plain, passes = (first, alike, other), []
    known = [replace(one, front=front_of(one.model, one.recipe)) for one in plain]
    assert known[0].front == known[1].front != known[2].front
    apart = first.recipe.model_copy(
        update={"model": first.recipe.model.model_copy(update={"input": None})}
    )
    assert front_of(first.model, apart) != known[0].front, "seen through another window"
    for n, one in enumerate(known):
        one.model.backbone.register_forward_hook(lambda *_, n=n: passes.append(n))
    said = Vote("v", tuple(known)).judge(reading(slices), full=False)
    assert passes == [0, 2]
    wanted = Vote("v", plain).judge(reading(slices), full=False)
    for one, two in zip(said.others, wanted.others, strict=True):
        np.testing.assert_array_equal(one.raw, two.raw)
    assert not np.array_equal(said.others[0].raw, said.others[1].raw)


def test_attention_over_slices_says_it_too() -> None:
    toy = TOYS["brain-mets-ct"].model()
    pool = AGGREGATORS["gated_attention"](8)
    model = CaseModel(backbone=toy.backbone, input=toy.input, pool=pool, head=Binary(512, 2))
    slices = np.random.default_rng(1).normal(40, 20, (SLICES, 1, 8, 8)).astype(np.int16)
    said = FoldModel(0, read_recipe("brain-mets-ct"), model).judge(reading(slices), full=True)
    assert said.evidence is not None
    assert said.evidence.alone is not None
    assert said.evidence.alone.shape == (SLICES, 2)


def test_where_logits_are_smoothed_it_is_the_smoothed_one() -> None:
    slices = np.random.default_rng(1).normal(40, 20, (SLICES, 1, 8, 8)).astype(np.int16)
    judge = member("max", False, 1.0)
    judge.model.smoothing = Smoothing(6.0)
    asked = reading(slices)
    place = np.zeros((SLICES, 3), np.float32)
    place[:, 2] = 5000 * np.arange(SLICES)
    asked = replace(asked, example=replace(asked.example, position=torch.from_numpy(place)))
    said = judge.judge(asked, full=True)
    assert said.evidence is not None
    assert said.evidence.alone is not None
    assert said.evidence.alone[:, 1].max() == pytest.approx(said.probabilities[1], abs=1e-6)
    assert (said.evidence.weights > 0).sum() > 1, "neighbours have a say"
