"""Where an image's spacing comes from: the first rung of a ladder that can be believed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wholecase.core.units import is_plausible_spacing, spacing_of_power
from wholecase.sources.source import Spacing

MOST_OBLONG = 0.05
"""Pixels whose sides differ by more than this share are not square, which no cut can mend."""
_UM_PER_UNIT = {"centimeter": 1e4, "inch": 25.4e3}


@dataclass(frozen=True)
class Rung:
    """One place that may tell the spacing, and what it says."""

    name: str
    x_um: float
    y_um: float


@dataclass(frozen=True)
class Found:
    """The spacing, and what was not believed on the way to it."""

    spacing: Spacing | None
    note: str


def climb(mpp: float | None, rungs: Iterable[Rung]) -> Found:
    """The first plausible rung; oblong pixels end the climb, since no lower rung knows better.

    The manifest's spacing, where it gives one, is the first rung.

    >>> found = climb(None, [Rung("tiff tags", 352.8, 352.8), Rung("objective power", 0.25, 0.25)])
    >>> found.spacing
    Spacing(um=0.25, rung='objective power')
    >>> found.note
    'spacing 352.8 from tiff tags is implausible'
    """
    doubts: list[str] = []
    manifest = [] if mpp is None else [Rung("manifest", mpp, mpp)]
    for rung in (*manifest, *rungs):
        x, y = rung.x_um, rung.y_um
        if not (is_plausible_spacing(x) and is_plausible_spacing(y)):
            doubts.append(f"spacing {x:g} from {rung.name} is implausible")
        elif abs(x - y) > MOST_OBLONG * max(x, y):
            doubts.append(f"pixels of {x:g} x {y:g} µm from {rung.name} are not square")
            break
        else:
            return Found(Spacing((x + y) / 2, rung.name), "; ".join(doubts))
    return Found(None, "; ".join(doubts) or "the file tells no spacing")


def slide_rungs(properties: Mapping[str, str]) -> list[Rung]:
    """What the properties of an OpenSlide handle tell: vendor's key, TIFF tags, objective power."""
    rungs = []
    # OpenSlide fills its own key from the tags when it knows no vendor: then they are but tags
    if properties.get("openslide.vendor") != "generic-tiff":
        rungs.append(_pair("openslide.mpp", properties, "openslide.mpp-x", "openslide.mpp-y"))
    rungs.append(_tags(properties))
    if power := number(properties.get("openslide.objective-power")):
        rungs.append(Rung("objective power", spacing_of_power(power), spacing_of_power(power)))
    return [rung for rung in rungs if rung is not None]


def _tags(properties: Mapping[str, str]) -> Rung | None:
    unit_um = _UM_PER_UNIT.get(properties.get("tiff.ResolutionUnit", ""))
    per_unit = _pair("tiff tags", properties, "tiff.XResolution", "tiff.YResolution")
    if unit_um is None or per_unit is None:
        return None
    x, y = (unit_um / n if n else 0.0 for n in (per_unit.x_um, per_unit.y_um))
    return Rung("tiff tags", x, y)


def _pair(name: str, properties: Mapping[str, str], x_key: str, y_key: str) -> Rung | None:
    x, y = number(properties.get(x_key)), number(properties.get(y_key))
    if x is None and y is None:
        return None
    # a file that tells one side only means square pixels
    return Rung(name, *((x, y) if x is not None and y is not None else (x or y or 0.0,) * 2))


def number(text: str | None) -> float | None:
    """What a file writes as a number, None where it is none.

    >>> number("0.25"), number("0,25"), number(None)
    (0.25, None, None)
    """
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
