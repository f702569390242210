"""The figures of the page: which there are, with what is said around each."""

from wholecase.report.figures.apart import apart_curves
from wholecase.report.figures.compared import compared_curves
from wholecase.report.figures.deciding import deciding_figures, reliability_figure, rule_of
from wholecase.report.figures.deletion import evidence_figures
from wholecase.report.figures.embedding import embedding_figure
from wholecase.report.figures.figure import Figure, Table
from wholecase.report.figures.judged import judged
from wholecase.report.figures.learning import learning_curves
from wholecase.report.figures.quality import quality_figures
from wholecase.report.figures.standalone import Sheet

__all__ = [
    "Figure",
    "Sheet",
    "Table",
    "apart_curves",
    "compared_curves",
    "deciding_figures",
    "embedding_figure",
    "evidence_figures",
    "judged",
    "learning_curves",
    "quality_figures",
    "reliability_figure",
    "rule_of",
]
