"""The outcome in one sentence, and the key figures as cards."""

from dataclasses import dataclass

from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.terms import METRIC_NAMES, TERMS, metric_name
from wholecase.report.voting import gain_of
from wholecase.report.wording import count, held, interval, listed, number

PROTOCOLS: dict[str, str] = {
    "nested": "Nested {folds}-fold by patient: every case is judged once, by a model that never "
    "saw its patient, and all choices were made on inner patients.",
    "holdout": "Hold-out by patient: the judged patients were set aside from the start, and all "
    "choices were made on inner patients.",
    "file": "A given splits file: every case is judged by a model that never saw its patient, and "
    "all choices were made on inner patients.",
    "image": "Images were divided into {folds} parts, not patients: pictures of a patient taught "
    "the model that judged others of the same patient. Papers have such figures; they tell how "
    "well patients are known again.",
    "given": "The split given with the cohort: the judged patients were set aside from the start, "
    "and all choices were made on inner patients.",
}
"""How the experiment was run, by the name in `run.json`; another text stands as it is."""
REFIT = (
    "The models learnt once more, from training and inner patients together; the number of epochs, "
    "temperatures and thresholds are those of first models, each asked about inner patients whom "
    "it had not learnt from."
)


@dataclass(frozen=True)
class Card:
    """One key figure."""

    name: str
    tip: str
    value: str
    interval: str
    held: str
    """How often such intervals hold what they should."""
    at: float | None
    """Value and interval ends as shares of the drawn scale from 0 to 1."""
    low: float | None
    high: float | None
    hint: str
    is_main: bool


def title(run: Run) -> str:
    """What the run calls itself."""
    return str(run.facts.get("title") or run.facts.get("recipe") or run.root.name)


def verdict(run: Run) -> str:
    """The outcome in one plain sentence."""
    judged = count(len({p.patient for p in run.predictions}), "patient")
    if not run.predictions:
        return "No case was judged, so there is nothing to report."
    auroc = run.pooled.get("auroc", Measured(None))
    if auroc.value is None:
        return f"In {judged}, AUROC is undefined: it takes judged cases of every class."
    ends = f" (95 % interval {interval(auroc)})" if interval(auroc) else ""
    mark = f"{run.mark}. " if run.mark else ""
    return (
        f"{mark}In {judged}, the model {_told(run)} with an AUROC of {number(auroc.value)}{ends}."
    )


def _told(run: Run) -> str:
    if run.is_binary:
        return f"told {run.classes[1]} from {run.classes[0]}"
    return f"told {listed(run.classes)} apart"


def reading(run: Run) -> list[str]:
    """What the verdict means, and under which protocol it was reached: a sentence each."""
    return [text for text in _sentences(run) if text]


def _sentences(run: Run) -> tuple[str, ...]:
    gain = gain_of(run.vote) if run.vote else ""
    return (
        _meaning(run),
        _luck(run),
        _protocol(run),
        _repeats(run),
        _decided(run),
        gain,
        _unlike(run),
    )


def _meaning(run: Run) -> str:
    value = run.pooled.get("auroc", Measured(None)).value
    if value is None or not run.is_binary:
        return ""
    several = ", judged by the same fold's model" if len(run.folds) > 1 else ""
    return (
        f"Of two cases, one {run.classes[1]} and one {run.classes[0]}{several}, it gives the "
        f"{run.classes[1]} one the higher probability {100 * value:.0f} times in 100."
    )


def _luck(run: Run) -> str:
    auroc = run.pooled.get("auroc", Measured(None))
    if auroc.low is None or auroc.high is None:
        return ""
    if auroc.low <= 0.5 <= auroc.high:
        return "The interval includes 0.5, a coin toss: chance alone could explain this result."
    if auroc.high < 0.5:
        return "The whole interval lies below 0.5: worse than a coin toss; look for swapped labels."
    return "The whole interval lies above 0.5, which a coin toss would reach."


def _protocol(run: Run) -> str:
    splits = run.facts.get("splits") or {}
    protocol = str(splits.get("protocol") or "")
    text = PROTOCOLS.get(protocol, f"Protocol: {protocol}." if protocol else "").format(
        folds=len(run.folds)
    )
    return f"{text} {REFIT}" if splits.get("refit") else text


def _repeats(run: Run) -> str:
    """How much of the figure is the luck of one division."""
    spread = run.repeats.get("auroc")
    if spread is None:
        return ""
    times = (run.facts.get("splits") or {}).get("repeats", "")
    return (
        f"Over {times} repeats with other seeds, on the same patients, the AUROC was "
        f"{number(spread.mean)} on average (standard deviation {number(spread.deviation)}, from "
        f"{number(spread.low)} to {number(spread.high)}). All else on this page, intervals too, is "
        "of the first."
    )


def _decided(run: Run) -> str:
    right = sum(not p.is_wrong for p in run.predictions)
    return f"{right} of {count(len(run.predictions), 'case')} were decided rightly."


def _unlike(run: Run) -> str:
    """Only where more are marked than chance would mark."""
    marked = sum(one.is_unlike for one in run.novelty.values())
    judged = len(run.novelty)
    if marked <= 1 + 2 * judged // 100:
        return ""
    return (
        f"{marked} of {count(judged, 'judged case')} are unlike those that their model learnt "
        "from, where 1 in 100 of the same kind would be: folds, sites or scanners differ."
    )


def cards(run: Run) -> list[Card]:
    """The key figures, AUROC first; metrics unknown to the page come last."""
    names = [name for name in METRIC_NAMES if name in run.pooled]
    names += [name for name in run.pooled if name not in METRIC_NAMES]
    return [_card(name, run.pooled[name]) for name in names]


def _card(name: str, measured: Measured) -> Card:
    shown = metric_name(name)
    hint = _better(name)
    if measured.value is None:
        hint = "undefined for these cases"
    elif measured.low is None and measured.reason:
        hint = "; ".join(part for part in (hint, f"no interval: {measured.reason}") if part)
    return Card(
        name=shown,
        tip=TERMS.get(shown) or _says(name),
        value=number(measured.value),
        interval=interval(measured),
        held=held(measured),
        at=_share(name, measured.value),
        low=_share(name, measured.low),
        high=_share(name, measured.high),
        hint=hint,
        is_main=name == "auroc",
    )


def _says(name: str) -> str:
    """What a metric of another package tells, by its own words."""
    from wholecase.evaluation import METRICS

    return METRICS[name].says if METRICS.knows(name) else ""


def _better(name: str) -> str:
    """Which way is better, where that is not up."""
    from wholecase.evaluation import METRICS

    metric = METRICS[name] if METRICS.knows(name) else None
    if metric is None or metric.higher_is_better:
        return ""
    return "lower is better" if metric.higher_is_better is False else f"{metric.best:g} is best"


def _share(name: str, value: float | None) -> float | None:
    """The value on the drawn scale; None for what has another range than 0 to 1."""
    from wholecase.evaluation import METRICS

    if value is None or (METRICS.knows(name) and METRICS[name].within != (0.0, 1.0)):
        return None
    return min(max(value, 0.0), 1.0)
