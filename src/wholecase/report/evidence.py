"""What can be said of the pictures as evidence, a sentence each."""

from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.wording import count, interval, number

UNSTEADY = 0.5
"""Below this mean rank correlation two fold models differ more than they agree."""


def evidence(run: Run) -> list[str]:
    """Whether the heatmaps point at the right place, and whether another model's would agree."""
    found = run.pooled.get("localisation_auc", Measured(None))
    return [text for text in (_place(found), _stable(run.stability)) if text]


def _place(found: Measured) -> str:
    if found.value is None:
        return ""
    return (
        "Where the region that matters was annotated, a place inside it gets more weight than one "
        f"outside {100 * found.value:.0f} times in 100: localisation AUROC "
        f"{number(found.value)}{_ends(found)}; a coin toss reaches 0.5."
    )


def _stable(found: Measured | None) -> str:
    if found is None or found.value is None:
        return ""
    return (
        "Shown the same case, the model that judged it and those of the other folds rank its "
        f"regions with a mean rank correlation of {number(found.value)}{_ends(found)}; 1 is the "
        "same order, 0 has nothing in common. The others have mostly seen the patient, so this "
        f"tells how steady the pictures are, not how right.{_warning(found.value)}"
    )


def agreement(run: Run) -> str:
    """The figure by itself, with its interval; no text where the run did not measure it."""
    if run.stability is None:
        return ""
    return f"{number(run.stability.value)}{_ends(run.stability)}"


def _warning(value: float) -> str:
    if value >= UNSTEADY:
        return ""
    return " Different places support the same answers: no single heatmap is the reason."


def _ends(found: Measured) -> str:
    ends = f"95 % interval {interval(found)}" if interval(found) else ""
    patients = count(found.n, "patient") if found.n else ""
    shown = ", ".join(part for part in (ends, patients) if part)
    return f" ({shown})" if shown else ""
