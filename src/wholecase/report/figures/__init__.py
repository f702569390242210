"""The figures of the page: which there are, with what is said under each."""

from dataclasses import dataclass

from wholecase.report.figures.confusion import draw_confusion
from wholecase.report.figures.distribution import BROAD, NARROW, draw_distribution
from wholecase.report.figures.faithfulness import draw_faithfulness
from wholecase.report.figures.judged import Judged, judged
from wholecase.report.figures.learning import draw_learning
from wholecase.report.figures.precision_recall import draw_precision_recall
from wholecase.report.figures.reliability import draw_reliability
from wholecase.report.figures.roc import draw_roc
from wholecase.report.run import Run
from wholecase.report.wording import count, interval, number


@dataclass(frozen=True)
class Figure:
    """A drawing with its heading and the sentence that reads it."""

    name: str
    svg: str
    caption: str
    narrow: str = ""
    """The same for a small screen, where the figure is as wide as the page."""


def learning_curves(run: Run) -> list[tuple[int, str]]:
    """Fold number and learning curves of each fold that has a history."""
    return draw_learning(run.folds)


def figures_of(run: Run) -> list[Figure]:
    """The figures that the predictions allow; none where nothing was judged."""
    cases = judged(run)
    if not cases.cases:
        return []
    figures = [_distribution(run, cases), _confusion(cases)]
    if any(cases.has_both(target) for target in cases.targets):
        figures += [_roc(run, cases), _precision_recall(run, cases), _reliability(cases)]
    return [*figures, *_faithfulness(run)]


def _distribution(run: Run, cases: Judged) -> Figure:
    shown = [f.threshold for f in run.folds if f.threshold is not None and run.is_binary]
    wrong = int((cases.decision != cases.truth).sum())
    return Figure(
        name="Every case at its probability",
        svg=draw_distribution(cases, shown, BROAD),
        narrow=draw_distribution(cases, shown, NARROW),
        caption=(
            "A dot is a case; filled dots were decided rightly, open ones wrongly "
            f"({wrong} of {len(cases.cases)})."
        ),
    )


def _confusion(cases: Judged) -> Figure:
    return Figure(
        name="Confusion matrix",
        svg=draw_confusion(cases),
        caption="Number of cases, and their share of the row: of all cases with that truth.",
    )


def _roc(run: Run, cases: Judged) -> Figure:
    auroc = run.pooled.get("auroc")
    ends = f", 95 % interval {interval(auroc)}" if auroc and interval(auroc) else ""
    told = f"AUROC {number(auroc.value)}{ends}. " if auroc else ""
    shown = "Each class against the rest, with its AUROC"
    if run.is_binary:
        own = ", each fold with its own threshold" if len(run.folds) > 1 else ""
        shown = f"The dot is where the decisions stand{own}"
    return Figure(
        name="ROC curve",
        svg=draw_roc(cases),
        caption=f"{told}{shown}; the dashed diagonal is a coin toss.",
    )


def _precision_recall(run: Run, cases: Judged) -> Figure:
    auprc = run.pooled.get("auprc")
    told = f"AUPRC {number(auprc.value)}. " if auprc else ""
    if run.is_binary:
        told += "The dashed line is the share of the class: what a coin toss reaches."
    else:
        told += "Each class against the rest."
    return Figure("Precision and sensitivity", draw_precision_recall(cases), told)


def _reliability(cases: Judged) -> Figure:
    return Figure(
        name="Are the probabilities honest?",
        svg=draw_reliability(cases),
        caption=(
            "On the diagonal, what is called 80 % likely happens in 80 % of cases. Numbers and "
            f"areas of the dots tell how many of {count(len(cases.cases), 'case')} stand there."
        ),
    )


def _faithfulness(run: Run) -> list[Figure]:
    told = run.faithfulness
    if told is None:
        return []
    ends = f", 95 % interval {interval(told.area)}" if interval(told.area) else ""
    caption = (
        f"Of {count(told.cases, 'case')} decided rightly, tiles are deleted and the model is "
        "asked again. If the attention shows what the answer rests on, the blue line falls first. "
        f"Mean gap between the lines: {number(told.area.value)}{ends}."
    )
    return [Figure("Does the answer rest on it?", draw_faithfulness(told), caption)]


__all__ = ["Figure", "figures_of", "learning_curves"]
