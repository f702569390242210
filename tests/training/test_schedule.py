"""Stages freeze and thaw what they name, at the rates they name."""

import pytest

from toys import TOYS
from wholecase.core.errors import RecipeError
from wholecase.training import Schedule, Stage, optimizer_for

STAGES = (
    Stage(0, {"head": 5e-5}),
    Stage(5, {"backbone.layer2": 1e-5, "head": 5e-5}),
)


def learning(schedule: Schedule, epoch: int) -> tuple[dict[float, int], set[str]]:
    model = TOYS["brain-mets-ct"].model()
    optimizer = optimizer_for(model, schedule, epoch)
    rates = {g["lr"]: sum(p.numel() for p in g["params"]) for g in optimizer.param_groups}
    return rates, {n.rsplit(".", 2)[0] for n, p in model.named_parameters() if p.requires_grad}


def test_only_the_named_parts_learn() -> None:
    schedule = Schedule(epochs=9, stages=STAGES)
    assert learning(schedule, 0)[1] == {"head.judge", "head.judge.hidden"}
    rates, parts = learning(schedule, 5)
    assert parts == {"head.judge", "head.judge.hidden", "backbone.layer2"}
    assert rates[1e-5] == 8 * 8 * 9 + 8 + 16  # convolution and its BatchNorm
    assert learning(schedule, 8) == learning(schedule, 5)


def test_without_stages_all_learn_at_one_rate() -> None:
    rates, _ = learning(Schedule(epochs=1, rate=3e-4), 0)
    model = TOYS["brain-mets-ct"].model()
    assert rates == {3e-4: sum(p.numel() for p in model.parameters())}


def test_decay_per_part() -> None:
    model = TOYS["brain-mets-ct"].model()
    schedule = Schedule(epochs=1, optimizer="adamw", decay={"backbone": 1e-4, "head": 1e-3})
    groups = optimizer_for(model, schedule, 0).param_groups
    assert sorted(g["weight_decay"] for g in groups) == [1e-4, 1e-3]


def test_stages_count_by_their_start_and_not_by_their_place() -> None:
    turned = Schedule(epochs=9, stages=STAGES[::-1])
    assert [learning(turned, epoch) for epoch in (0, 4, 5)] == [
        learning(Schedule(epochs=9, stages=STAGES), epoch) for epoch in (0, 4, 5)
    ]


def test_two_stages_of_one_start_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"two stages begin at epoch 5; give each its own `from`"):
        Schedule(epochs=9, stages=(*STAGES, STAGES[1]))


def test_what_happens_before_the_first_stage_must_be_said() -> None:
    with pytest.raises(RecipeError, match=r"begins at epoch 5, and none .*add one with `from: 0`"):
        Schedule(epochs=9, stages=STAGES[1:])


def test_an_unknown_part_is_named_with_its_neighbour() -> None:
    schedule = Schedule(epochs=1, stages=(Stage(0, {"backbone.layer3": 1e-3}),))
    with pytest.raises(RecipeError, match=r"'backbone.layer3'.*did you mean 'backbone.layer"):
        optimizer_for(TOYS["brain-mets-ct"].model(), schedule, 0)
