"""Views are draws of a case's own instances, seeded by the case, and judged by their mean."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toys import InMemory
from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.training import (
    VIEWS,
    Adaptive,
    Drawn,
    Example,
    Mirrored,
    PerScale,
    Shuffled,
    Views,
    pack,
)
from wholecase.training.adaptive import _pool


def example(size: int, case: str = "a", scales: int = 3) -> Example:
    values = torch.arange(size, dtype=torch.float32)[:, None]
    scale = (torch.arange(size) * 7 % scales).float()
    # a scale is no image: both images may have all of them
    image = (torch.arange(size) * 2 >= size).long()
    return Example(case, case, values, scale, image=image)


MEMBERS = {"drawn": Drawn(1, instances=4, sets=5), "per_scale": PerScale(1, sets=5)}
MEMBERS["adaptive"] = Adaptive(1, sets=5)


def test_all_of_the_table_are_tried() -> None:
    assert {name: type(views) for name, views in MEMBERS.items()} | {"flips": Mirrored} == VIEWS


def pictures(case: str, count: int = 5) -> Example:
    generator = torch.Generator().manual_seed(len(case))
    values = torch.rand(count, 3, 4, 6, generator=generator)
    return Example(case, case, values, image=torch.arange(count))


def test_each_set_is_looked_at_as_it_is_and_mirrored() -> None:
    one, inner = pictures("a"), {"instances": 3, "sets": 2}
    drawn = Mirrored(1, of={"name": "drawn", **inner})
    for views, sets in ((Mirrored(1), [one]), (drawn, Drawn(1, **inner).judged(one))):
        expected = [
            turned(part.values)
            for turned in (
                lambda v: v,
                lambda v: v[..., torch.arange(5, -1, -1)],
                lambda v: v[:, :, torch.arange(3, -1, -1)],
                lambda v: v.rot90(2, (2, 3)),
            )
            for part in sets
        ]
        judged = views.judged(one)
        assert views.sets == len(judged) == len(expected)
        assert all(torch.equal(a.values, b) for a, b in zip(judged, expected, strict=True))
    assert len(Mirrored(1, vertical=False).judged(one)) == 2


def test_mirroring_changes_nothing_of_what_is_learnt() -> None:
    learn = InMemory([pictures(str(i)) for i in range(6)])
    orders = [
        [batch.values for batch in Shuffled(learn, 2, views, cases=2).epoch(3)]
        for views in (None, Mirrored(2))
    ]
    assert all(torch.equal(a, b) for a, b in zip(*orders, strict=True))
    with pytest.raises(RecipeError, match="did you mean 'drawn'"):
        Mirrored(2, of="drawm")
    with pytest.raises(RecipeError, match="no option 'instance'"):
        Mirrored(2, of={"name": "drawn", "instance": 3})


@pytest.mark.parametrize("views", MEMBERS.values(), ids=MEMBERS)
def test_sets_are_instances_of_the_case_and_the_same_each_time(views: Views) -> None:
    for size in (1, 3, 4, 5, 30):
        one = example(size)
        sets = views.judged(one)
        assert len(sets) == views.sets == 5
        for shown, kept in zip(sets, views.kept(one), strict=True):
            assert kept.tolist() == sorted(set(kept.tolist()))
            assert torch.equal(shown.values, one.values[kept])
            assert shown.scale is not None
            assert torch.equal(shown.scale, one.scale[kept])  # type: ignore[index]
            pack([shown])  # the instances of an image stand together
        again = views.judged(one)
        assert all(torch.equal(a.values, b.values) for a, b in zip(sets, again, strict=True))


@pytest.mark.parametrize("views", MEMBERS.values(), ids=MEMBERS)
def test_cases_and_seeds_draw_differently(views: Views) -> None:
    def all_kept(case: str, seed: int) -> list[list[int]]:
        options = {"instances": 4} if isinstance(views, Drawn) else {}
        other = type(views)(seed, sets=5, **options)
        return [kept.tolist() for kept in other.kept(example(60, case))]

    assert all_kept("a", 1) == all_kept("a", 1)
    assert all_kept("a", 1) != all_kept("b", 1)
    assert all_kept("a", 1) != all_kept("a", 2)


@given(st.integers(1, 40), st.integers(1, 6))
def test_one_of_each_scale(size: int, scales: int) -> None:
    one = example(size, scales=scales)
    (shown,) = PerScale(0).learnt(one, generator(1))
    assert shown.scale is not None
    assert sorted(shown.scale.tolist()) == one.scale.unique().tolist()  # type: ignore[union-attr]


def test_each_instance_is_shown_equally_often() -> None:
    views, rng = Drawn(0, instances=2), generator(0)
    counts = np.bincount(
        np.concatenate([views.draw(example(6), rng).numpy() for _ in range(900)]), minlength=6
    )
    # 300 expected of each, five standard deviations are 71
    assert np.abs(counts - 300).max() < 71


@pytest.mark.parametrize("scale", [None, torch.tensor([40.0, torch.nan])])
def test_a_case_without_scales_is_named(scale: torch.Tensor | None) -> None:
    bare = Example("c17", "p", torch.zeros(2, 1), scale)
    with pytest.raises(RecipeError, match="case 'c17' has one without; fill"):
        PerScale(0).judged(bare)


def test_impossible_options_are_refused() -> None:
    with pytest.raises(RecipeError, match="at least 1 of `sets`, not 0"):
        PerScale(0, sets=0)
    with pytest.raises(RecipeError, match="at least 1 of `instances`, not 0"):
        Drawn(0, instances=0)
    with pytest.raises(RecipeError, match="both draw instances"):
        Shuffled(InMemory([]), 0, Drawn(0, instances=1), max_instances=3)


def test_every_set_of_every_case_is_judged_within_the_bound() -> None:
    cases = InMemory([example(size, str(size)) for size in (9, 3, 12, 4)])
    views = Drawn(2, instances=4, sets=3)
    batches = list(Shuffled(cases, 0, views, instances=9).judged())
    assert all(len(batch.values) <= 9 for batch in batches)
    seen: dict[str, list[list[float]]] = {}
    for batch in batches:
        parts = batch.values[:, 0].split(batch.starts.diff().tolist())
        for case, part in zip(batch.cases, parts, strict=True):
            seen.setdefault(case, []).append(part.tolist())
    assert list(seen) == ["9", "3", "12", "4"]
    for one in cases:
        assert seen[one.case] == [shown.values[:, 0].tolist() for shown in views.judged(one)]


def test_what_is_shown_counts_for_the_bound_of_a_batch() -> None:
    cases = InMemory([example(30, str(i)) for i in range(6)])
    batches = list(Shuffled(cases, 0, Drawn(0, instances=4), instances=30, cases=3).epoch(0))
    assert [len(batch.cases) for batch in batches] == [3, 3]


def at_powers(counts: dict[float, int], case: str = "a") -> Example:
    scale = torch.tensor([power for power, count in counts.items() for _ in range(count)])
    values = torch.arange(len(scale), dtype=torch.float32)[:, None]
    return Example(case, case, values, scale, targets={"label": torch.tensor([1.0, 0.0])})


def test_an_epoch_draws_its_sets_from_a_pool_that_shrinks_with_the_images() -> None:
    for counts, sets in (
        ({40.0: 24, 100.0: 24}, 4),
        ({40.0: 15, 100.0: 15}, 4),
        ({40.0: 5, 100.0: 24}, 3),  # a pool of 3 has no 4
        ({40.0: 1}, 3),
    ):
        one, seen = at_powers(counts), set()
        for seed in range(200):
            shown = Adaptive(0).learnt(one, generator(seed))
            assert len(shown) == sets
            for part in shown:
                assert part.scale.tolist() == sorted(counts)
            if min(counts.values()) >= 15:
                assert len({int(part.values[0]) for part in shown}) == sets, "each image once"
            seen |= {int(part.values[0]) for part in shown}
        assert len(seen) == counts[40.0], "over the epochs all images come up"
    sizes = {1: 1, 5: 3, 15: 9, 16: 7, 30: 12, 31: 8, 40: 10}
    assert {n: len(_pool(np.arange(n), generator(0))) for n in sizes} == sizes


def test_an_epoch_uses_an_eighth_to_a_sixth_of_the_images() -> None:
    """82 patients as BreakHis has them: 24 images of a magnification on average."""
    rng = np.random.default_rng(0)
    cases = [
        at_powers({p: int(rng.integers(12, 37)) for p in (40.0, 100.0, 200.0, 400.0)}, str(number))
        for number in range(82)
    ]
    batches = Shuffled(InMemory(cases), 3, Adaptive(3), cases=16)
    steps = list(batches.epoch(0))
    shown = sum(len(step.values) for step in steps)
    assert 0.12 < shown / sum(len(case.values) for case in cases) < 0.17
    assert max(len(step.cases) for step in steps) == 16
    assert len(set(steps[0].cases)) > 8, "the sets of a patient are spread"
    assert {name for step in steps for name in step.cases} == {case.case for case in cases}
    again = list(batches.epoch(0))
    assert all(torch.equal(a.values, b.values) for a, b in zip(steps, again, strict=True))
    assert not torch.equal(next(batches.epoch(1)).values, steps[0].values)


def test_least_is_no_more_than_most() -> None:
    with pytest.raises(RecipeError, match="`least` no more than `most`, not 5 and 4"):
        Adaptive(0, least=5)
