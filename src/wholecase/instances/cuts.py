"""A name leads to a cut, and a kind of image to the cut that suits it."""

from wholecase.core.table import Table
from wholecase.instances.grid import Grid
from wholecase.instances.instances import Cut
from wholecase.instances.slices import Slices
from wholecase.instances.whole import Whole

CUTS: Table[type[Cut]] = Table(
    "cut",
    {
        "grid": Grid,
        "whole": Whole,
        "slices": Slices,
    },
    Cut,
)


def cut_for(kind: str, cut: Cut, mpp: float | None = None) -> Cut:
    """The recipe's cut, or one of the same side where a grid makes no sense.

    A ready tile is one instance already, a CT series one for each slice. A photograph is gridded
    where the manifest tells its spacing, `mpp`, and taken whole where nothing does.
    """
    if isinstance(cut, Grid) and is_taken_whole(kind, mpp):
        whole = Slices if kind == "ct" else Whole
        return whole(side_px=cut.side_px)
    return cut


def is_taken_whole(kind: str, mpp: float | None) -> bool:
    """Whether an image, or a slice of it, is one instance even under a grid.

    Its spacing then does not matter.
    """
    return kind in {"tile", "ct", "features"} or (kind == "still" and mpp is None)
