"""From probability to decision: is it honest, where is it cut, is acting on it worth it?"""

from collections.abc import Sequence

import numpy as np

from wholecase.core.seeds import seed_of
from wholecase.evaluation import DecisionCurve, decision_curve
from wholecase.report.figures.decision import draw_decision, where_it_helps
from wholecase.report.figures.figure import Figure
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.reliability import draw_reliability, honesty
from wholecase.report.figures.threshold import (
    RULES,
    Inner,
    Rule,
    draw_rule,
    draw_sides,
    inner_of,
    targeted,
)
from wholecase.report.run_record import Run
from wholecase.report.wording import count, interval, listed, number, percent, reach


def deciding_figures(run: Run, cases: Judged) -> list[Figure]:
    """Reliability, and for two classes thresholds and decision curve, as far as the run allows."""
    if (reliability := reliability_figure(run, cases)) is None:
        return []
    decision = [_decision(run, cases)] if run.is_binary else []
    return [*_thresholds(run), reliability, *decision]


def reliability_figure(run: Run, cases: Judged) -> Figure | None:
    """Whether the probabilities are honest; None where the cases are all of one class."""
    if not any(cases.has_both(target) for target in cases.targets):
        return None
    chosen = {fold.number: (fold.temperature, fold.shift) for fold in run.folds}
    here = [chosen.get(fold, (1.0, ())) for fold in np.unique(cases.fold).tolist()]
    is_raw = all(temperature == 1 and not shift for temperature, shift in here)
    raw = None if is_raw else cases.uncalibrated(chosen)
    caption = (
        "On the diagonal, what is called 80 % likely happens in 80 % of cases. Numbers and "
        f"areas of the dots tell how many of {count(len(cases.cases), 'case')} stand there."
    )
    if raw is None:
        caption += " The run was not calibrated."
    else:
        scaled = [temperature for temperature, _ in here]
        caption += f" Temperature, chosen on inner patients: {reach(scaled)}."
    moved = [shift[1] - shift[0] for _, shift in here if len(shift) == 2]
    if moved:
        caption += f" Log odds were moved by {reach(moved)}."
    caption += _in_the_large(run)
    after = "after calibration" if raw is not None else "as said"
    before = [("before", "before")] if raw is not None else []
    return Figure(
        name="Are the probabilities honest?",
        term="Calibration",
        svg=draw_reliability(cases, raw),
        caption=caption,
        keys=(
            *before,
            ("after", after),
            ("whisker", "95 % interval"),
            ("chance", "perfectly honest"),
        ),
        table=honesty(cases, raw),
    )


def _in_the_large(run: Run) -> str:
    """Whether as many were positive as were announced, and what chance alone would show."""
    told = {name: one for name, one in run.calibration.items() if one.value is not None}
    text = ""
    if (ratio := told.get("observed_expected")) is not None:
        ends = f" ({interval(ratio)})" if interval(ratio) else ""
        text += f" Positives by those announced (O/E): {number(ratio.value)}{ends}; 1 is honest."
    if (index := told.get("ici")) is not None:
        text += f" Mean distance from a smooth curve (ICI): {number(index.value, 3)}."
    if (chance := told.get("ece_if_honest")) is not None:
        shown = number(chance.value, 3)
        text += f" Honest probabilities would show an ECE of {shown} in so many cases."
    return text


def _thresholds(run: Run) -> list[Figure]:
    inner = inner_of(run.folds, run.classes) if run.is_binary else []
    if not inner:
        return []
    rule = rule_of(run)
    sides, merit = draw_sides(inner), draw_rule(inner, rule)
    keys = [("fold", "sensitivity"), ("fold other", "specificity")]
    keys += [("kept", "sensitivity where chosen"), ("kept open", "specificity where chosen")]
    beside = f" The second drawing: {rule.quantity}, which the rule looks at." if merit else ""
    return [
        Figure(
            name="Where the threshold was put",
            term="Threshold",
            svg=sides,
            beside=merit,
            keys=tuple(keys),
            caption=(
                f"The rule: {rule.words}. {_inner(len(inner))} Chosen: "
                f"{reach([one.chosen for one in inner])}."
                f"{_ends(inner)}{_gain(run, rule)}{beside}"
            ),
        )
    ]


def _ends(inner: Sequence[Inner]) -> str:
    """How far redraws would have moved the thresholds."""
    ends = [end for one in inner if one.ends is not None for end in one.ends]
    return f" Redraws of the inner patients put it at {reach(ends)}." if ends else ""


def _gain(run: Run, rule: Rule) -> str:
    """What the choice was worth against one half, where it was made."""
    gains = [fold.threshold_gain for fold in run.folds if fold.threshold_gain is not None]
    if not gains or not rule.quantity:
        return ""
    return f" On them it gains {reach(gains)} in {rule.quantity} over one half."


def _inner(folds: int) -> str:
    if folds == 1:
        return "Drawn on the inner patients, none of whom is judged by it."
    return "A pair of lines is a fold, on its own inner patients; none of them is judged by it."


def rule_of(run: Run) -> Rule:
    """How the run's thresholds were chosen, in words."""
    names = {str(f.choices["threshold_rule"]) for f in run.folds if f.choices.get("threshold_rule")}
    if len(names) == 1 and (known := RULES.get(min(names)) or targeted(min(names))):
        return known
    return Rule(f"“{listed(tuple(sorted(names)))}”" if names else "not told by the run")


def _decision(run: Run, cases: Judged) -> Figure:
    truth, said = cases.against_rest(1)
    curve = decision_curve(truth, said, cases.patients, seed=seed_of(0, "decision curve"))
    chosen = [fold.threshold for fold in run.folds if fold.threshold is not None]
    share = float(truth.mean())
    return Figure(
        name="Is acting on it worth it?",
        term="Decision curve",
        svg=draw_decision(curve, chosen, run.classes[1]),
        keys=(
            ("after", "model"),
            ("shade", "95 % interval"),
            ("everybody", "calling everybody"),
            ("nobody", "calling nobody"),
            *([("kept", "chosen threshold")] if chosen else []),
        ),
        caption=f"{_helps(curve)} {_at(curve, chosen)}{_implied(run, chosen)}This holds where "
        f"{percent(share)} of cases are {run.classes[1]}, as here.",
    )


def _at(curve: DecisionCurve, chosen: list[float]) -> str:
    if not chosen:
        return ""
    middle = float(np.median(chosen))
    worth = float(np.interp(middle, curve.thresholds, curve.model))
    sentence = f"At a threshold of {number(middle)} its net benefit is {number(worth)}"
    if worth <= 0:
        return f"{sentence}: no better than calling nobody. "
    return f"{sentence}: worth {100 * worth:.0f} cases found in 100 without a single false alarm. "


def _implied(run: Run, chosen: list[float]) -> str:
    """What it costs to miss a case, for whom that threshold is right."""
    if not chosen:
        return ""
    middle = float(np.median(chosen))
    if not 0 < middle < 1:
        return ""
    times = (1 - middle) / middle
    cost = number(times, 1) if times >= 1 else f"1/{number(1 / times, 1)}"
    told = f"To act from there on is right where a missed case costs {cost} times a false alarm. "
    by_f1 = any("f1" in str(fold.choices.get("threshold_rule") or "") for fold in run.folds)
    return f"{told}F1 chose it, which looks at no costs. " if by_f1 else told


def _helps(curve: DecisionCurve) -> str:
    helps = where_it_helps(curve)
    if helps is None:
        return "At no probability does acting on the model beat calling everybody or nobody."
    return (
        f"For whoever acts from a probability between {helps[0]:.2f} and {helps[1]:.2f} on, the "
        "model does more good than calling everybody or nobody."
    )
