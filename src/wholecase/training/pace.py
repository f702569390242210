"""The optimizer through stages and schedule: built anew for each stage, and nothing forgotten."""

from collections.abc import Mapping
from typing import Any, final

from torch import nn
from torch.optim import Optimizer

from wholecase.training.optimizer import States, adopt, optimizer_for, set_rates, states_of
from wholecase.training.rates import Rates
from wholecase.training.schedule import Schedule


@final
class Pace:
    """Which parts of a model learn how fast in the epoch at hand.

    A part that goes on learning into the next stage keeps what its optimizer knows of it; one that
    is frozen and wakes goes on with what was known when it froze.
    """

    def __init__(self, model: nn.Module, schedule: Schedule) -> None:
        self._model, self._schedule = model, schedule
        self._rates = Rates(schedule.course, schedule.epochs)
        self._optimizer: Optimizer | None = None
        self._kept: States = {}

    def optimizer(self, epoch: int) -> Optimizer:
        """The optimizer of this epoch, at this epoch's rates; epochs come one after the other."""
        schedule = self._schedule
        if self._optimizer is None or schedule.stage(epoch) != schedule.stage(epoch - 1):
            self._kept = self.states()
            self._optimizer = optimizer_for(self._model, schedule, epoch)
            adopt(self._model, self._optimizer, self._kept)
        set_rates(self._optimizer, self._rates.factor)
        return self._optimizer

    @property
    def factor(self) -> float:
        """On the rates of all parts, in the epoch that comes."""
        return self._rates.factor

    def see(self, score: float, loss: float | None) -> None:
        """An epoch is over; its watched score and the inner loss, of both lower is better."""
        self._rates.see(score, loss)

    def states(self) -> States:
        """What is known of each parameter that ever learnt, sleeping ones included."""
        if self._optimizer is None:
            return self._kept
        return self._kept | states_of(self._model, self._optimizer)

    def facts(self) -> dict[str, Any]:
        """All but the optimizer's states, as JSON values."""
        return self._rates.facts()

    def restore(self, facts: Mapping[str, Any], states: States) -> None:
        """Go on from what `facts` and `states` told."""
        self._rates.restore(facts)
        self._kept, self._optimizer = states, None
