"""Whether learning went as it should."""

from collections.abc import Callable

from wholecase.experiment.checks.question import Examined, Outcome, failed, passed
from wholecase.experiment.troubles import Kind


def without(kind: Kind, sentence: str) -> Callable[[Examined], Outcome]:
    """A check that a trouble did not come up."""

    def look(run: Examined) -> Outcome:
        told = run.troubles.get(kind)
        return passed(sentence) if told is None else failed(told)

    return look
