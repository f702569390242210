"""What is left of the answer when the regions that counted are deleted."""

from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.records import Deletion


def draw_faithfulness(deletion: Deletion) -> str:
    """Two curves over the deleted share: the most attended first, and at random."""
    last = deletion.shares[-1]
    axes = Axes(
        Axis("Share of the regions deleted", high=last, ticks=(0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        Axis("Probability of the right class"),
        title="Faithfulness of the attention",
        frame=Frame(),
    )
    axes.line(zip(deletion.shares, deletion.random, strict=True), "curve-fold", "at random")
    axes.line(zip(deletion.shares, deletion.top, strict=True), "curve main")
    for share, top, random in zip(deletion.shares, deletion.top, deletion.random, strict=True):
        tip = f"{share:.0%} deleted: {top:.2f}, at random {random:.2f}"
        axes.dot(share, top, 5, "bin", tip)
    return axes.markup()
