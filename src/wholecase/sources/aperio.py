"""What the description of an Aperio slide tells: the size of a pixel and the objective."""

from wholecase.core.units import spacing_of_power
from wholecase.sources.spacing_rungs import Rung, number

VENDOR = "aperio"
"""OpenSlide's name of it."""


def is_aperio(description: str) -> bool:
    """Whether the first page of a TIFF says that Aperio wrote it."""
    return description.startswith("Aperio")


def size_rungs(description: str) -> list[Rung]:
    """The size of a pixel, under the name of OpenSlide's key, which has it from here.

    >>> size_rungs("Aperio Image Library v11|AppMag = 20|MPP = 0.4990")
    [Rung(name='openslide.mpp', x_um=0.499, y_um=0.499)]
    """
    um = _number(description, "MPP")
    return [] if um is None else [Rung("openslide.mpp", um, um)]


def power_rungs(description: str) -> list[Rung]:
    """What the power of the objective stands for."""
    power = _number(description, "AppMag")
    return [Rung("objective power", *(spacing_of_power(power),) * 2)] if power else []


def _number(description: str, key: str) -> float | None:
    # of keys that are given twice the last counts, as in OpenSlide; some write decimal commas
    pairs = (part.partition("=") for part in description.split("|")[1:])
    told = {name.strip(): value.strip() for name, _, value in pairs}
    return number(told[key].replace(",", ".")) if key in told else None
