"""The loop stops early, keeps the best, and says when a loss is no number."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from toys import TOYS, InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError, RunError
from wholecase.models import AGGREGATORS, HEADS, CaseModel, load_tensors, save_tensors
from wholecase.training import (
    ACTIVE,
    DISTANCE,
    Course,
    Epoch,
    Example,
    Followed,
    Keep,
    Schedule,
    Shuffled,
    Stage,
    are_together,
    fit,
)
from wholecase.training.rates import Cosine, Plateau
from wholecase.training.watch import Watch


class Together(torch.nn.Module):
    """A loss that is lowest where all cases are one."""

    def forward(self, vectors: torch.Tensor, *_of: object) -> torch.Tensor:
        return torch.pdist(vectors).mean()


def narrowing(rate: float) -> list[float]:
    """Mean distances of an embedding whose loss draws all cases together, epoch by epoch."""
    toy = TOYS["metric-ensemble"]
    learn, asked = (toy.batches(toy.examples(seed), seed) for seed in (1, 2))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        taught = toy.model()
    taught.head.teacher = Together()
    history = fit(taught, (learn, asked), Schedule(epochs=40, rate=rate, patience=None), seed=0)
    return [epoch.figures[DISTANCE] for epoch in history.epochs]


def test_learning_stops_where_all_cases_draw_together() -> None:
    distances = narrowing(0.01)
    assert 3 < len(distances) < 40
    assert max(distances[-3:]) < 0.1
    told = [Epoch(n, 0.5, 0.5, figures={DISTANCE: d}) for n, d in enumerate(distances)]
    assert are_together(told)
    assert not are_together(told[:-1])
    assert not are_together(told[::-1]), "it widens"

    def course(*distances: float) -> list[Epoch]:
        return [Epoch(n, 0.5, 0.5, figures={DISTANCE: d}) for n, d in enumerate(distances)]

    assert are_together(course(0.9, 0.8, 0.07, 0.08, 0.09)), "it has fallen, and stays low"
    assert are_together(course(0.04, 0.04, 0.04)), "it never came apart"
    assert not are_together(course(0.02, 0.03, 0.04)), "it widens"
    solved = [replace(e, figures={**e.figures, ACTIVE: 0.07}) for e in course(0.9, 0.1, 0.1, 0.1)]
    assert not are_together(solved), "it is narrow, and in order"
    assert not are_together(course(0.9, 0.07, 0.3, 0.08, 0.09))
    assert not are_together(course(0.9, 0.3, 0.25, 0.2))
    assert not are_together([Epoch(n, 0.5, 0.5) for n in range(9)])


def model() -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CaseModel(pool=AGGREGATORS["mean"](3), head=HEADS["binary"](3, 2))


def noise(seed: int, count: int = 20) -> Shuffled:
    """Labels have nothing to do with values: validation soon gets worse."""
    rng = np.random.default_rng(seed)
    examples = [
        Example(
            f"{seed}-{i}",
            f"{seed}-{i}",
            torch.from_numpy(rng.normal(size=(2, 3)).astype(np.float32)),
            targets=target(i % 2),
        )
        for i in range(count)
    ]
    return Shuffled(InMemory(examples), seed)


def test_it_stops_when_patience_ends_and_goes_back_to_the_best_epoch() -> None:
    states = []
    taught = model()

    def told(_epoch: object) -> None:
        states.append({k: v.clone() for k, v in taught.state_dict().items()})

    schedule = Schedule(epochs=200, rate=0.05, patience=5)
    history = fit(taught, (noise(1), noise(2)), schedule, seed=0, on_epoch=told)
    losses = [epoch.valid_loss for epoch in history.epochs]
    assert history.best == int(np.argmin(losses))
    assert len(losses) == history.best + 5 + 1 < 200
    best = states[history.best]
    assert all(torch.equal(v, best[k]) for k, v in taught.state_dict().items())


def test_small_betterment_does_not_renew_patience_but_is_kept() -> None:
    schedule = Schedule(epochs=200, rate=1e-5, patience=3, min_delta=0.5)
    history = fit(model(), (noise(1), noise(1)), schedule, seed=0)
    # the first epoch undercuts infinity; after that nothing undercuts by half
    assert len(history.epochs) == 4
    losses = [epoch.valid_loss for epoch in history.epochs]
    assert history.best == int(np.argmin(losses))


def test_of_equal_scores_the_lower_loss_is_kept_and_renews_patience() -> None:
    def kept(*seen: tuple[float, float]) -> tuple[int, int]:
        """Epoch that is kept, epochs that were learnt."""
        watch = Watch(patience=2, min_delta=0.0)
        for epoch, (score, loss) in enumerate(seen):
            watch.see(epoch, score, model(), loss)
            if watch.is_over:
                break
        facts = json.loads(json.dumps(watch.facts()))
        again = Watch(patience=2, min_delta=0.0)
        again.restore(facts, watch.best)
        assert again == watch
        return watch.best_epoch, epoch + 1

    stuck = [(-0.5, loss) for loss in (0.9, 0.8, 0.7, 0.6, 0.5)]
    assert kept(*stuck) == (4, 5), "a score that stands still is no end while the loss falls"
    assert kept(*[(-0.5, 0.9)] * 5) == (0, 3)
    assert kept((-0.5, 0.9), (-0.5, 0.90001), (-0.5, 0.89999), (-0.5, 0.1)) == (2, 3)
    assert kept((-0.7, 0.9), (-0.5, 0.1), (-0.5, 0.05)) == (0, 3), "the score comes first"


def test_a_loss_that_is_no_number_is_told_with_the_case() -> None:
    broken = Example("sick", "sick", torch.full((1, 3), torch.nan), targets=target(1))
    batches = Shuffled(InMemory([broken]), 0)
    with pytest.raises(RunError, match=r"nan in epoch 0 at case 'sick'.*clip_norm"):
        fit(model(), (batches, batches), Schedule(epochs=2), seed=0)


def test_a_side_without_batches_is_told() -> None:
    with pytest.raises(RunError, match="give no batch in epoch 0"):
        fit(model(), (noise(1, 0), noise(2)), Schedule(epochs=1), seed=0)


def test_training_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    fit(model(), (noise(1), noise(2)), Schedule(epochs=2), seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_the_state_of_other_settings_is_not_continued(tmp_path) -> None:
    path = tmp_path / "last.safetensors"
    sides = (noise(1), noise(2))
    fit(model(), sides, Schedule(epochs=3), seed=0, keep=Keep(path, "a"))
    told = []
    fit(model(), sides, Schedule(epochs=3), seed=0, keep=Keep(path, "b"), on_epoch=told.append)
    assert [epoch.number for epoch in told] == [0, 1, 2]
    told.clear()
    fit(model(), sides, Schedule(epochs=3), seed=0, keep=Keep(path, "b"), on_epoch=told.append)
    assert told == [], "a finished training has nothing left to do"


def test_a_training_stopped_before_epochs_told_mean_probabilities_goes_on(tmp_path) -> None:
    keep, sides = Keep(tmp_path / "last.safetensors", "a"), (noise(1), noise(2))
    fit(model(), sides, Schedule(epochs=2), seed=0, keep=keep)
    tensors, facts = load_tensors(keep.path)
    older = [row[:5] for row in facts["epochs"]]
    save_tensors(keep.path, tensors, {**facts, "epochs": older})
    history = fit(model(), sides, Schedule(epochs=3), seed=0, keep=keep)
    assert [epoch.valid_separation is None for epoch in history.epochs] == [True, True, False]
    positive, negative = history.epochs[2].valid_p_positive, history.epochs[2].valid_p_negative
    assert history.epochs[2].valid_separation == pytest.approx(positive - negative)
    whole = fit(model(), sides, Schedule(epochs=3), seed=0)
    assert history.epochs[2] == whole.epochs[2]


def test_watching_something_unknown_is_an_error() -> None:
    with pytest.raises(RecipeError, match="did you mean 'auroc'"):
        fit(model(), (noise(1), noise(2)), Schedule(epochs=1, watch="auroca"), seed=0)


def test_active_batchnorm_wakes_only_in_learning_parts() -> None:
    toy = TOYS["brain-mets-ct"]
    taught = toy.model()
    before = [layer[1].running_mean.clone() for layer in taught.backbone.children()]
    stage = Stage(0, {"backbone.layer2": 1e-3, "head": 1e-3})
    schedule = Schedule(epochs=1, stages=(stage,), batchnorm="active")
    sides = (toy.batches(toy.examples(1), 0), toy.batches(toy.examples(2), 0))
    fit(taught, sides, schedule, seed=0)
    after = [layer[1].running_mean for layer in taught.backbone.children()]
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_where_nobody_is_asked_the_last_epoch_is_kept_and_a_stopped_training_goes_on(
    tmp_path,
) -> None:
    keep, schedule = Keep(tmp_path / "last.safetensors", "a"), Schedule(epochs=5, rate=0.05)
    whole = model()
    history = fit(whole, (noise(1), None), schedule, seed=0)
    assert history.best == 4
    assert {epoch.valid_loss for epoch in history.epochs} == {None}

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model(), (noise(1), None), schedule, seed=0, keep=keep, on_epoch=stop)
    again = model()
    assert fit(again, (noise(1), None), schedule, seed=0, keep=keep) == history
    assert all(torch.equal(v, whole.state_dict()[k]) for k, v in again.state_dict().items())


@pytest.mark.parametrize("course", [Plateau(factor=0.5, patience=0, min_delta=9.0), Cosine()])
def test_a_course_is_followed_epoch_by_epoch_through_a_stop(course: Course, tmp_path) -> None:
    schedule = Schedule(epochs=6, rate=0.05, course=course)
    first = fit(model(), (noise(1), noise(2)), schedule, seed=0)
    factors = tuple(epoch.factor for epoch in first.epochs)[:4]
    assert len(set(factors)) > 2
    followed = Schedule(epochs=4, rate=0.05, course=Followed(factors))
    keep = Keep(tmp_path / "last.safetensors", "a")

    def stop(epoch: Epoch) -> None:
        if epoch.number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model(), (noise(1), None), followed, seed=0, keep=keep, on_epoch=stop)
    again = fit(model(), (noise(1), None), followed, seed=0, keep=keep)
    assert [epoch.factor for epoch in again.epochs] == list(factors)
    # the same cases at the same rates: what they learnt is the same, too
    assert [e.train_loss for e in again.epochs] == [e.train_loss for e in first.epochs[:4]]
