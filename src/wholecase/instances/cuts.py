"""A name leads to a cut, and a kind of image to the cut that suits it."""

from wholecase.instances.grid import Grid
from wholecase.instances.instances import Cut
from wholecase.instances.whole import Whole

CUTS: dict[str, type[Cut]] = {
    "grid": Grid,
    "whole": Whole,
}


def cut_for(kind: str, cut: Cut, mpp: float | None = None) -> Cut:
    """The recipe's cut, or a `Whole` of the same side where a grid makes no sense.

    A ready tile and a CT slice are one instance already. A photograph is gridded where the
    manifest tells its spacing, `mpp`, and taken whole where nothing does.
    """
    already_cut = kind in {"tile", "ct"} or (kind == "still" and mpp is None)
    return Whole(side_px=cut.side_px) if isinstance(cut, Grid) and already_cut else cut
