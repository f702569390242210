"""What can be said of the pictures as evidence, a sentence each."""

from collections.abc import Mapping

from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.wording import count, interval, number, percent

UNSTEADY = 0.5
"""Below this mean rank correlation two fold models differ more than they agree."""


def evidence(run: Run) -> list[str]:
    """Whether the heatmaps point at the right place, and whether another model's would agree."""
    found = run.pooled.get("localisation_auc", Measured(None))
    slices = run.lesion_slices
    place = (_of_slices(found), _first(slices), _maps(slices)) if slices else (_place(found),)
    return [text for text in (*place, _stable(run.stability)) if text]


def _place(found: Measured) -> str:
    if found.value is None:
        return ""
    return (
        "Where the region that matters was annotated, a place inside it gets more weight than one "
        f"outside {100 * found.value:.0f} times in 100: localisation AUROC "
        f"{number(found.value)}{_ends(found)}; a coin toss reaches 0.5."
    )


def _of_slices(found: Measured) -> str:
    if found.value is None:
        return ""
    return (
        "Where the finding was marked slice by slice, a slice that holds it scores higher than one "
        f"that does not {100 * found.value:.0f} times in 100: localisation AUROC "
        f"{number(found.value)}{_ends(found)}; a coin toss reaches 0.5."
    )


def _first(slices: Mapping[str, Measured]) -> str:
    found = slices.get("among_first", Measured(None))
    if found.value is None:
        return ""
    others = found.value < 1
    return (
        f"Of the true positives {percent(found.value)} have a marked slice among the two highest"
        f"{_ends(found)}{'; the others are right for a reason that nobody marked' * others}."
    )


def _maps(slices: Mapping[str, Measured]) -> str:
    share, chance, hits, by_chance = (
        slices.get(name, Measured(None))
        for name in ("map_share", "map_chance", "pointing", "pointing_chance")
    )
    if share.value is None or chance.value is None or hits.value is None:
        return ""
    return (
        f"In marked slices that decide, {percent(share.value)} of Grad-CAM lies in the finding"
        f"{_ends(share)}, {percent(chance.value)} if it were even; its highest point touches the "
        f"finding in {percent(hits.value)}, by chance in {percent(by_chance.value or 0)}."
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
