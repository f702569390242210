"""Does the answer rest on what the heatmap shows?"""

from wholecase.report.figures.faithfulness import draw_faithfulness
from wholecase.report.figures.figure import Figure
from wholecase.report.run_record import Run
from wholecase.report.wording import count, interval, number


def evidence_figures(run: Run) -> list[Figure]:
    """The deletion curves, where the run has them."""
    deletion = run.faithfulness
    if deletion is None:
        return []
    ends = f", 95 % interval {interval(deletion.area)}" if interval(deletion.area) else ""
    caption = (
        f"Of {count(deletion.cases, 'case')} decided rightly, regions are deleted and the model is "
        "asked again. If the attention shows what the answer rests on, the blue line falls first. "
        f"Mean gap between the lines: {number(deletion.area.value)}{ends}."
    )
    return [
        Figure(
            "Does the answer rest on it?",
            draw_faithfulness(deletion),
            caption,
            term="Faithfulness",
            keys=(("after", "most attended first"), ("random", "at random")),
        )
    ]
