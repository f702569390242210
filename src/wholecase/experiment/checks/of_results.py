"""Whether figures of a run can be believed, and what they are worth."""

from typing import Any

from wholecase.evaluation import far_judges
from wholecase.experiment.checks.question import Outcome, Told, failed, not_applicable, passed

FEW_PATIENTS = 50
"""Below this the intervals are so wide that a page should say so."""
TOO_GOOD = 0.999
APART = 0.02
"""From this difference on between the AUROC within folds and across them models differ in scale."""
CHANCE = 0.5


def beaten(run: Told) -> Outcome:
    """Whether plain models on the same folds do as well."""
    plain = run.metrics.get("baselines") or {}
    if not plain:
        reason = run.unbeaten[0] if run.unbeaten else "No plain model was judged: --baselines does."
        return not_applicable(reason)
    if run.unbeaten:
        return failed(" ".join(run.unbeaten))
    return passed(f"The run beats {len(plain)} plain models on its folds beyond chance.")


def by_chance(run: Told) -> Outcome:
    """Whether a coin toss could have done it."""
    value, low = run.pooled("auroc"), run.pooled("auroc", "low")
    if value is None or low is None:
        return not_applicable("The AUROC has no interval.")
    told = f"AUROC {value:.3f} ({low:.3f} to {run.pooled('auroc', 'high'):.3f})"
    chance = (run.metrics.get("chance") or {}).get("p")
    if chance is not None:
        told += f"; labels dealt at random reach it with p {chance:.4f}"
    if low > CHANCE:
        return passed(f"The interval lies above chance: {told}.")
    return failed(f"The interval does not lie above 0.5, which a coin toss reaches: {told}.")


def far_fold(run: Told) -> Outcome:
    """Whether the folds tell of one model."""
    if run.scores.classes != 2 or not run.scores.has_several_judges:
        return not_applicable("It takes several folds and two classes.")
    folds = sorted({int(one.judge) for one in run.judged})
    found = far_judges(run.scores)
    if not found:
        return passed("No fold's AUROC is further from that of all than chance allows.")
    told = "; ".join(
        f"fold {folds[one.judge]}: {one.area:.3f}, {one.deviations:+.1f} standard errors"
        for one in found
    )
    return failed(
        f"The AUROC of a fold is further from that of all ({run.pooled('auroc'):.3f}) than chance "
        f"allows ({told}): look at its cases and learning curve before the mean is told."
    )


def few_patients(run: Told) -> Outcome:
    """Whether the intervals are wide."""
    patients = len({one.case.patient for one in run.judged})
    if patients >= FEW_PATIENTS:
        return passed(f"{patients} patients were judged.")
    low, high = run.pooled("auroc", "low"), run.pooled("auroc", "high")
    half = "" if low is None or high is None else f" (the AUROC's half-width is {_half(low, high)})"
    return failed(
        f"Only {patients} patients were judged: differences smaller than the intervals{half} "
        "are noise."
    )


def _half(low: float, high: float) -> str:
    return f"{(high - low) / 2:.3f}"


def too_good(run: Told) -> Outcome:
    """Whether a leak is likelier than such a model."""
    area = run.pooled("auroc")
    if area is None:
        return not_applicable("The AUROC is undefined.")
    if area < TOO_GOOD:
        return passed(f"The classes are not separated perfectly (AUROC {area:.3f}).")
    return failed(
        "The classes are separated almost perfectly. A result that looks too good is a leak "
        "until shown otherwise: check for copies of images, and for anything that differs "
        "between the classes but the disease."
    )


def one_scale(run: Told) -> Outcome:
    """Whether probabilities of different folds can be ranked together."""
    area, across = run.pooled("auroc"), run.pooled("auroc_pooled")
    if area is None or across is None:
        return not_applicable("One model judged all cases, or ranks are undefined.")
    told = f"Within folds the AUROC is {area:.3f}, across them {across:.3f}"
    if abs(area - across) < APART:
        return passed(f"{told}.")
    return failed(
        f"{told}: the models of the folds do not speak on one scale, and a pair of cases from two "
        "folds compares two models; the headline counts pairs within folds."
    )


def honest(run: Told) -> Outcome:
    """Whether what is said is what is so."""
    asked = {"calibration_slope": 1.0, "calibration_intercept": 0.0}
    entries: dict[str, Any] = {name: run.metrics["pooled"].get(name) or {} for name in asked}
    if any(entry.get("low") is None for entry in entries.values()):
        return not_applicable("Calibration has no interval: more than two classes, or few cases.")
    off = [name for name, at in asked.items() if not _holds(entries[name], at)]
    told = "; ".join(
        f"{name.removeprefix('calibration_')} {entry['value']:.2f} "
        f"({entry['low']:.2f} to {entry['high']:.2f})"
        for name, entry in entries.items()
    )
    if not off:
        return passed(f"Slope 1 and intercept 0 lie within their intervals: {told}.")
    return failed(
        f"The probabilities are not what is so ({told}; honest are 1 and 0): do not act on them as "
        "risks before they are calibrated on patients of the place where they will be used."
    )


def _holds(entry: dict[str, Any], at: float) -> bool:
    return bool(entry["low"] <= at <= entry["high"])
