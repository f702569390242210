"""What the OME-XML of a TIFF tells: the size of a pixel, the objective, and other files."""

from xml.etree import ElementTree as ET

from wholecase.core.units import spacing_of_power
from wholecase.sources.spacing_rungs import Rung, number

_UM_PER_UNIT = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "Å": 1e-4,
    "in": 25.4e3,
}
"""Both signs for micro are in use: U+00B5 and U+03BC."""


def size_rungs(xml: str, size_px: tuple[int, int]) -> list[Rung]:
    """The size of a pixel of the image that has so many.

    Raises:
        xml.etree.ElementTree.ParseError: no XML.
    """
    wanted = [str(length) for length in size_px]
    for pixels in _root(xml).iterfind(".//{*}Pixels"):
        if [pixels.get("SizeX"), pixels.get("SizeY")] == wanted:
            x, y = (_side_um(pixels, axis) for axis in "XY")
            return [Rung("ome-xml", x or y, y or x)] if x or y else []
    return []


def power_rungs(xml: str) -> list[Rung]:
    """What the power of the objective stands for, where there is but one.

    Raises:
        xml.etree.ElementTree.ParseError: no XML.
    """
    powers = {item.get("NominalMagnification") for item in _root(xml).iterfind(".//{*}Objective")}
    power = number(powers.pop()) if len(powers) == 1 else None
    return [Rung("objective power", *(spacing_of_power(power),) * 2)] if power else []


def other_files(xml: str) -> set[str]:
    """Names of further files that hold planes of the image.

    Raises:
        xml.etree.ElementTree.ParseError: no XML.
    """
    root = _root(xml)
    own = root.get("UUID")
    return {
        item.get("FileName", "unnamed")
        for item in root.iterfind(".//{*}TiffData/{*}UUID")
        if own is None or (item.text or "").strip() != own
    }


def _root(xml: str) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 (expat itself refuses entities that grow)


def _side_um(pixels: ET.Element, axis: str) -> float:
    # a unit that is no length ("pixel", "reference frame") tells nothing
    unit_um = _UM_PER_UNIT.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 0.0)
    return unit_um * (number(pixels.get(f"PhysicalSize{axis}")) or 0.0)
