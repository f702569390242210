"""How good the answers are: every case, the confusion, ROC, precision and sensitivity."""

from collections.abc import Mapping

from wholecase.report.figures.confusion import draw_confusion
from wholecase.report.figures.distribution import BROAD, NARROW, draw_distribution, shows_dots
from wholecase.report.figures.figure import Figure
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.precision_recall import draw_precision_recall
from wholecase.report.figures.roc import draw_roc
from wholecase.report.run_record import Run
from wholecase.report.wording import interval, number


def quality_figures(run: Run, cases: Judged, links: Mapping[str, str]) -> list[Figure]:
    """The figures that the predictions allow; `links` leads from a case to its page."""
    if not cases.cases:
        return []
    figures = [_distribution(run, cases, links), _confusion(cases)]
    if any(cases.has_both(target) for target in cases.targets):
        figures += [_roc(run, cases), _precision_recall(run, cases)]
    return figures


def _distribution(run: Run, cases: Judged, links: Mapping[str, str]) -> Figure:
    shown = [f.threshold for f in run.folds if f.threshold is not None and run.is_binary]
    wrong = int((cases.decision != cases.truth).sum())
    opens = " A click opens the case." if links else ""
    text = f"A dot is a case; filled dots were decided rightly, open ones wrongly ({wrong} of "
    if not shows_dots(cases):
        opens = ""
        text = f"Bars count cases; their orange part was decided wrongly ({wrong} of "
    return Figure(
        name="Every case at its probability",
        svg=draw_distribution(cases, shown, BROAD, links),
        narrow=draw_distribution(cases, shown, NARROW, links),
        caption=f"{text}{len(cases.cases)}).{opens}",
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
    text = f"AUROC {number(auroc.value)}{ends}{_pooled(run, 'auroc')}. " if auroc else ""
    shown = "Each class against the rest, with its AUROC"
    if run.is_binary:
        own = ", each fold with its own threshold" if len(run.folds) > 1 else ""
        shown = f"The dot is where the decisions stand{own}"
    return Figure(
        name="ROC curve",
        term="AUROC",
        svg=draw_roc(cases),
        caption=f"{text}{shown}; the dashed diagonal is a coin toss.",
    )


def _pooled(run: Run, metric: str) -> str:
    """What the bold curve of all folds holds, which is not the headline."""
    pooled = run.pooled.get(f"{metric}_pooled")
    return f"; {number(pooled.value)} of the line that takes all folds as one" if pooled else ""


def _precision_recall(run: Run, cases: Judged) -> Figure:
    auprc = run.pooled.get("auprc")
    ends = f", 95 % interval {interval(auprc)}" if auprc and interval(auprc) else ""
    caption = f"AUPRC {number(auprc.value)}{ends}{_pooled(run, 'auprc')}. " if auprc else ""
    if run.is_binary:
        caption += (
            "The dot is where the decisions stand. The dashed line is the share of the class: what "
            "a coin toss reaches, and the reason why this curve cannot be compared between cohorts "
            "with other shares."
        )
    else:
        caption += "Each class against the rest."
    svg = draw_precision_recall(cases)
    return Figure("Precision and sensitivity", svg, caption, term="Precision")
