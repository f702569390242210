"""A share of the tiles of an image, chosen by a cheap look before any is read in full."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from wholecase.core.errors import RecipeError, SourceError
from wholecase.core.kinds import RGB
from wholecase.core.lookup import check_options, look_up
from wholecase.core.seeds import generator
from wholecase.instances.instances import Instances
from wholecase.instances.reading import file_order
from wholecase.sources import ImageSource, read_box

VERSION = 1
"""Raised whenever other tiles would be chosen, so that stored features do not mix."""
BLOCK = 4096
"""Tiles among which a share is chosen at a time: the work grows with their number, not faster."""
_DENSITY = -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)


@final
class Sample:
    """Chooses tiles without knowing of any label, so that nothing leaks between folds.

    Args:
        share: of the tiles, that is kept.
        by: `variety` takes tiles that look as different from each other as can be, so that rare
            ones are among them; `random` any, and looks at none.
        look_um: µm per pixel of the look.
    """

    def __init__(self, share: float | int, by: str = "variety", look_um: float | int = 8.0) -> None:
        if isinstance(share, bool) or not 0 < share <= 1:
            raise RecipeError(f"cut.sample.share is {share!r}; give a share above 0, up to 1")
        if isinstance(look_um, bool) or not 0 < look_um < np.inf:
            raise RecipeError(f"cut.sample.look_um is {look_um!r}; give µm/px above 0")
        self._choose = look_up(CHOICES, by, "choice of tiles")
        self._share, self._by, self._look_um = float(share), by, float(look_um)

    @property
    def settings(self) -> dict[str, Any]:
        """All that determines which tiles are chosen."""
        look = {} if self._by == "random" else {"look_um": self._look_um}
        return {"share": self._share, "by": self._by, **look, "version": VERSION}

    def __call__(self, source: ImageSource, instances: Instances, side_um: float) -> Instances:
        """The share of them, in their order, at least one.

        Args:
            source: the open image.
            instances: all of its tiles.
            side_um: of a tile.

        Raises:
            SourceError: the pixels have no colours to be looked at.
        """
        if self._by == "random":
            looks = np.zeros((len(instances), 1), np.float32)
        else:
            looks = look_at(source, instances, max(4, round(side_um / self._look_um)))
        order = file_order(source, instances)
        chosen = []
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            count = max(1, round(self._share * len(block)))
            chosen.append(block[self._choose(looks[block], count)])
        return replace(instances.only(np.sort(np.concatenate(chosen))), squares=len(instances))


def sample_of(options: Mapping[str, Any] | None) -> Sample | None:
    """The sample that a recipe describes; None where it takes all tiles.

    Raises:
        RecipeError: an option is missing or unknown, or its value cannot be.
    """
    if options is None:
        return None
    check_options(Sample, options, "cut.sample", ())
    return Sample(**options)


def look_at(source: ImageSource, instances: Instances, side_px: int) -> Float32[np.ndarray, "N 9"]:
    """What each tile looks like when it is `side_px` wide, each number of deviation 1 or 0.

    A tile that cannot be decoded looks like the average.

    Raises:
        SourceError: the pixels are not RGB.
    """
    if source.kind != RGB:
        raise SourceError(
            f"{source.path}: holds {source.kind.name} pixels, and tiles are chosen by colour; set "
            f"cut.sample=null or cut.sample.by=random"
        )
    raw = np.full((len(instances), 9), np.nan, np.float32)
    for index in file_order(source, instances).tolist():
        x, y, width, height = instances.box_px[index].tolist()
        try:
            raw[index] = described(read_box(source, (x, y, width, height), (side_px, side_px)))
        except SourceError:
            continue
    return standardised(raw)


def standardised(raw: Float32[np.ndarray, "N D"]) -> Float32[np.ndarray, "N D"]:
    """Each number with mean 0 and deviation 1 over the tiles, or 0; a row of nan is all 0."""
    known = np.isfinite(raw[:, 0])
    if not known.any():
        return np.zeros_like(raw)
    centre, spread = raw[known].mean(0), raw[known].std(0)
    looks = np.where(spread > 1e-6, (raw - centre) / np.maximum(spread, 1e-6), 0)
    return np.where(known[:, None], looks, 0).astype(np.float32)


def described(tile: UInt8[np.ndarray, "s s 3"]) -> Float32[np.ndarray, " 9"]:
    """Optical density: mean and deviation by channel, fine texture, first and last decile."""
    density = _DENSITY[tile]
    grey = density.mean(2)
    fine = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2]
    texture = np.log((fine - grey[1:-1, 2:]).std() + 0.01)
    deciles = np.percentile(grey, (10, 90))
    said = [*density.mean((0, 1)), *density.std((0, 1)), texture, *deciles]
    return np.array(said, np.float32)


def _various(looks: Float32[np.ndarray, "n D"], count: int) -> Int64[np.ndarray, " k"]:
    """The most usual one, then again and again the one farthest from all that were taken.

    Greedy k-centre (Gonzalez 1985): no tile is left out that is farther from those taken than
    twice what the best choice of so many could do.
    """
    taken = [int(_apart(looks, looks.mean(0)).argmin())]
    nearest = _apart(looks, looks[taken[0]])
    while len(taken) < count:
        nearest[taken[-1]] = -1  # of equals each is taken once
        taken.append(int(nearest.argmax()))
        np.minimum(nearest, _apart(looks, looks[taken[-1]]), out=nearest)
    return np.array(taken, np.int64)


def _apart(
    looks: Float32[np.ndarray, "n D"], one: Float32[np.ndarray, " D"]
) -> Float32[np.ndarray, " n"]:
    distance: Float32[np.ndarray, " n"] = np.square(looks - one).sum(1)
    return distance


def _random(looks: Float32[np.ndarray, "n D"], count: int) -> Int64[np.ndarray, " k"]:
    drawn: Int64[np.ndarray, " k"] = generator(0, "tiles", len(looks)).permutation(len(looks))
    return drawn[:count]


CHOICES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "variety": _various,
    "random": _random,
}
