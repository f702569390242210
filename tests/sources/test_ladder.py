"""The spacing is the first rung that can be believed, and the others are remembered."""

import functools

import pytest

from wholecase.core.errors import SourceError
from wholecase.sources import open_source
from wholecase.sources.spacing_rungs import Rung, climb, slide_rungs

APERIO = "Aperio Image Library v1\n1000x700"


@pytest.fixture(params=[None, "jpeg"], ids=["openslide", "tiff"])
def write_slide(write_slide, request):
    """Slides that OpenSlide reads, and such that are read tile by tile."""
    return functools.partial(write_slide, compression=request.param)


def found(path, mpp=None):
    with open_source(path, "slide", mpp) as source:
        spacing = source.spacing
        return (spacing and (spacing.rung, pytest.approx(spacing.um))), source.header.spacing_note


def test_centimetre_tags_of_a_generic_tiff_are_called_tags(texture, write_slide):
    path = write_slide(texture, resolution=(20000, 20000), unit=3)
    assert found(path) == (("tiff tags", 0.5), "")


def test_inch_tags_of_a_generic_tiff(texture, write_slide):
    path = write_slide(texture, resolution=(101600, 101600), unit=2)
    assert found(path)[0] == ("tiff tags", 0.25)


@pytest.mark.parametrize("dpi", [72, 96, 300])
def test_the_resolution_of_a_printer_is_not_a_spacing(texture, write_slide, dpi):
    spacing, note = found(write_slide(texture, resolution=(dpi, dpi), unit=2))
    assert spacing is None
    assert "from tiff tags is implausible" in note


def test_tags_without_a_unit_tell_nothing(texture, write_slide):
    path = write_slide(texture, resolution=(20000, 20000), unit=1)
    assert found(path) == (None, "the file tells no spacing")


def test_the_manifest_goes_before_the_file(texture, write_slide):
    path = write_slide(texture, resolution=(20000, 20000))
    assert found(path, mpp=0.3)[0] == ("manifest", 0.3)


def test_the_vendors_key_goes_before_power_and_tags(texture, write_slide):
    said = f"{APERIO}|AppMag = 20|MPP = 0.26"
    path = write_slide(texture, "a.svs", description=said, resolution=(20000, 20000))
    assert found(path)[0] == ("openslide.mpp", 0.26)


def test_a_zero_key_falls_through_to_the_power(texture, write_slide):
    said = f"{APERIO}|AppMag = 40|MPP = 0.0"
    path = write_slide(texture, "a.svs", description=said, resolution=(72, 72), unit=2)
    spacing, note = found(path)
    assert spacing == ("objective power", 0.25)
    assert note == (
        "spacing 0 from openslide.mpp is implausible; spacing 352.778 from tiff tags is implausible"
    )


def test_an_absurd_key_falls_through_to_the_power(texture, write_slide):
    said = f"{APERIO}|AppMag = 40|MPP = 2500"
    spacing, note = found(write_slide(texture, "a.svs", description=said))
    assert spacing == ("objective power", 0.25)
    assert note == "spacing 2500 from openslide.mpp is implausible"


def test_an_absurd_key_falls_through_to_the_tags_before_the_power(texture, write_slide):
    said = f"{APERIO}|AppMag = 40|MPP = 2500"
    path = write_slide(texture, "a.svs", description=said, resolution=(20000, 20000))
    assert found(path)[0] == ("tiff tags", 0.5)


@pytest.mark.parametrize(("power", "um"), [(5, 2.0), (20, 0.5), (40, 0.25), (83, 0.12048)])
def test_the_power_alone(texture, write_slide, power, um):
    path = write_slide(texture, "a.svs", description=f"{APERIO}|AppMag = {power}")
    assert found(path)[0][0] == "objective power"
    assert found(path)[0][1].expected == pytest.approx(um, abs=1e-5)
    assert found(path, mpp=0.3)[0] == ("manifest", 0.3)


def test_oblong_pixels_end_the_climb():
    found = climb(None, [Rung("tiff tags", 0.5, 1.0), Rung("objective power", 0.5, 0.5)])
    assert found.spacing is None
    assert "0.5 x 1 µm from tiff tags are not square" in found.note


def test_slightly_oblong_pixels_are_averaged():
    spacing = climb(None, [Rung("openslide.mpp", 0.50, 0.51)]).spacing
    assert spacing is not None
    assert spacing.um == pytest.approx(0.505)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-0.5", "0,25"])
def test_nonsense_in_the_properties_is_never_a_spacing(text):
    keys = ("openslide.mpp-x", "openslide.mpp-y", "tiff.XResolution", "openslide.objective-power")
    properties = {"tiff.ResolutionUnit": "inch", **dict.fromkeys(keys, text)}
    assert climb(None, slide_rungs(properties)).spacing is None


@pytest.mark.parametrize("mpp", [0.0, -1.0, 96.0, float("nan"), float("inf")])
def test_an_implausible_mpp_of_a_slide_is_an_error_not_a_rung(texture, write_slide, mpp):
    path = write_slide(texture, resolution=(20000, 20000))
    with pytest.raises(SourceError, match=r"slide\.tif: spacing .* column mpp"):
        open_source(path, "slide", mpp)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "rung", "um"),
    [
        ("CMU-1-Small-Region.svs", "openslide.mpp", 0.499),
        ("camelyon_multi_frame_jpeg2000.dcm", "pixel spacing", 28.9685),
    ],
)
def test_real_slides(shared, name, rung, um):
    assert found(shared / "data/wsi-small/slides" / name) == ((rung, um), "")
