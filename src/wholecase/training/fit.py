"""The one loop that teaches every model."""

import contextlib
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import perf_counter

import torch
from torch import Tensor
from torch.optim import Optimizer

from wholecase.core.errors import RunError
from wholecase.core.seeds import seed_of
from wholecase.execution import read_ahead
from wholecase.models import (
    Batch,
    CaseModel,
    check_precision,
    device_of,
    load_state,
    lowered,
    remember,
)
from wholecase.training.batches import Batches
from wholecase.training.optimizer import set_modes
from wholecase.training.pace import Pace
from wholecase.training.resume import Epoch, Keep, load_progress, save_progress
from wholecase.training.reuse import Kept, Plain
from wholecase.training.schedule import Schedule
from wholecase.training.tempo import Tempo
from wholecase.training.together import are_together
from wholecase.training.watch import Verdict, Watch, judge


@dataclass(frozen=True)
class History:
    """The learning curve, and which epoch was kept."""

    epochs: tuple[Epoch, ...]
    best: int
    tempo: Tempo = field(default=Tempo(), compare=False)
    """Of the epochs that were learnt now."""


def fit(
    model: CaseModel,
    batches: tuple[Batches, Batches | None],
    schedule: Schedule,
    *,
    seed: int,
    keep: Keep | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:
    """Train in place and leave the model at its best epoch.

    Args:
        model: on the device where it is to learn.
        batches: of the training and of the inner validation patients; without these nothing is
            watched, and the last epoch is kept. The outer test patients have no way in here.
        schedule: epochs, rates and their course, stages, early stopping.
        seed: of dropout and augmentation; each epoch derives its own, so a stopped training goes
            on bit for bit.
        keep: where to leave the state after each epoch; a state found there is continued.
        on_epoch: called after each epoch.

    Raises:
        RunError: the loss became nan or infinite.
        RecipeError: the device lacks the schedule's precision.
    """
    check_precision(schedule.precision, device_of(model))
    train, _ = batches
    watch = Watch(schedule.patience, schedule.min_delta)
    pace = Pace(model, schedule)
    rows, tempo = load_progress(keep, model, pace, watch), Tempo()
    with contextlib.closing(_sides(model, batches, schedule, seed)) as sides:
        for epoch in range(len(rows), 0 if _is_over(watch, rows) else schedule.epochs):
            begun = perf_counter()
            optimizer, factor = pace.optimizer(epoch), pace.factor
            set_modes(model, schedule)
            model.turn(epoch)
            here, asked = sides.turn(model, epoch, schedule.precision)
            train_loss, shown = _learn(model, optimizer, here, schedule, (seed, epoch))
            learnt = perf_counter() - begun
            remember(model, train.once())
            # where nobody is asked the later epoch is the better one
            nobody = Verdict(None, float(-epoch), None)
            verdict = nobody if asked is None else judge(model, asked, schedule, seed)
            means = verdict.p_positive, verdict.p_negative
            scores = verdict.loss, verdict.metric
            rows.append(Epoch(epoch, train_loss, *scores, factor, *means, model.head.figures()))
            watch.see(epoch, verdict.score, model, verdict.loss)
            pace.see(verdict.score, verdict.loss)
            if keep is not None:
                save_progress(keep, model, pace, watch, rows)
            tempo = tempo.plus(Tempo(1, perf_counter() - begun, learnt, shown))
            if on_epoch is not None:
                on_epoch(rows[-1])
            if _is_over(watch, rows):
                break
    load_state(model, watch.best, "the best epoch")
    return History(tuple(rows), watch.best_epoch, tempo)


def _is_over(watch: Watch, rows: Sequence[Epoch]) -> bool:
    """Whether patience has run out, or all cases have drawn together in one point."""
    return watch.is_over or are_together(rows)


def _sides(
    model: CaseModel,
    batches: tuple[Batches, Batches | None],
    schedule: Schedule,
    seed: int,
) -> Kept | Plain:
    """Both sides past what sleeps of the network, where the schedule asks for it."""
    if schedule.reuse is None or model.backbone is None:
        return Plain(batches)
    return Kept(batches, schedule.reuse, schedule.augment, seed)


def _learn(
    model: CaseModel,
    optimizer: Optimizer,
    train: Batches,
    schedule: Schedule,
    moment: tuple[int, int],
) -> tuple[float, int]:
    """The mean loss of a case, and how many instances were shown."""
    seed, epoch = moment
    device = device_of(model)
    total, cases, shown = 0.0, 0, 0
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        torch.manual_seed(seed_of(seed, "epoch", epoch))
        batches = stack.enter_context(read_ahead(train.epoch(epoch)))
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss = _loss(model, batch.to(device), schedule)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise RunError(
                    f"the training loss became {value} in epoch {epoch} at case "
                    f"{batch.cases[0]!r}; lower the rate or set train.clip_norm"
                )
            if loss.requires_grad:  # a bag may have nothing to teach, such as no valid triplet
                (loss + model.penalty()).backward()  # type: ignore[no-untyped-call]
                _clip(model, schedule.clip_norm)
                optimizer.step()
            total += value * len(batch.cases)
            cases += len(batch.cases)
            shown += len(batch.values)
    if not cases:
        raise RunError(
            f"the training cases give no batch in epoch {epoch}; the rule under `batches` asks for "
            "more cases than there are"
        )
    return total / cases, shown


def _loss(model: CaseModel, batch: Batch, schedule: Schedule) -> Tensor:
    if schedule.augment is not None and not batch.after:  # what was kept was changed before
        batch = schedule.augment(batch)
    with lowered(schedule.precision, batch.values.device):
        answer = model(batch)
    return model.cost(answer, batch)


def _clip(model: CaseModel, norm: float | None) -> None:
    if norm is not None:
        learning = [p for p in model.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(learning, norm)
