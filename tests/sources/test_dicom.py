"""DICOM slides frame by frame: pixels as they were written, wherever the frames stand."""

import os
import resource

import cv2
import imagecodecs
import numpy as np
import openslide
import pydicom
import pytest
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

from toys.dicom_slides import PATIENT, TILE, jpeg, measures, tiles, write_dicom_slide
from wholecase.core.errors import SourceError
from wholecase.sources import open_source
from wholecase.sources.dicom import DicomSource

LOSSLESS = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, JPEG2000Lossless)
PLACES = [(x, y, 0.0) for y in range(0, 700, TILE) for x in range(0, 1000, TILE)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.dcm"


def rewrite(path, **elements):
    slide = pydicom.dcmread(path)
    for name, value in elements.items():
        setattr(slide, name, value)
    slide.save_as(path)


def whole(path, level=0):
    with DicomSource(path) as source:
        size = source.levels[level]
        return source.read(0, 0, size.width_px, size.height_px, level)


def by_openslide(path):
    with openslide.OpenSlide(path) as slide:
        return np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
@pytest.mark.parametrize("sparse", [False, True], ids=["full", "sparse"])
def test_lossless_frames_come_back_exactly(texture, path, syntax, sparse):
    if sparse:
        order = np.random.default_rng(1).permutation(len(PLACES))
        frames = tiles(texture)
        shuffled = {"frames": [frames[i] for i in order], "places": [PLACES[i] for i in order]}
    else:
        shuffled = {}
    write_dicom_slide(path, texture, syntax=syntax, **shuffled)
    assert np.array_equal(whole(path), texture)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit])
def test_pixels_are_those_of_openslide_where_it_reads_the_file(texture, path, syntax):
    colours = "YBR_FULL_422" if syntax == JPEGBaseline8Bit else "RGB"
    write_dicom_slide(path, texture, syntax=syntax, PhotometricInterpretation=colours)
    assert np.array_equal(whole(path), by_openslide(path))


def test_frames_that_are_left_out_are_white(texture, path):
    write_dicom_slide(path, texture, tiles(texture)[1:], places=PLACES[1:])
    pixels = whole(path)
    assert np.all(pixels[:TILE, :TILE] == 255)
    assert np.array_equal(pixels[TILE:], texture[TILE:])


def test_places_need_no_grid(texture, path):
    places = [(0, 0, 0.0), (100, 37, 0.0), (871, 571, 0.0)]
    frames = [np.ascontiguousarray(texture[y : y + 128, x : x + 128]) for x, y, _ in places]
    write_dicom_slide(path, texture, frames, places=places)
    pixels = whole(path)
    for x, y, _ in places:
        assert np.array_equal(pixels[y : y + 128, x : x + 128], texture[y : y + 128, x : x + 128])
    assert np.all(pixels[300:500] == 255)


def test_the_middle_one_of_several_focal_planes(texture, path):
    planes = [texture // 4, texture, texture // 2]
    frames = [tile for plane in planes for tile in tiles(plane)]
    write_dicom_slide(path, texture, frames, TotalPixelMatrixFocalPlanes=3)
    assert np.array_equal(whole(path), texture)
    places = [(x, y, z) for z in (0.002, 0.004, 0.006) for x, y, _ in PLACES]
    write_dicom_slide(path, texture, frames, places=places)
    assert np.array_equal(whole(path), texture)


@pytest.mark.parametrize("downwards", [False, True])
def test_an_order_that_is_not_told_is_seen(texture, path, downwards):
    frames = tiles(texture)
    if downwards:
        frames = [frames[i] for i in np.arange(len(frames)).reshape(6, 8).T.ravel()]
    write_dicom_slide(path, texture, frames, DimensionOrganizationType=None)
    assert np.array_equal(whole(path), texture)


def unmarked(coded):
    """The JPEG without its JFIF or Adobe segment."""
    assert coded[2:4] in (b"\xff\xe0", b"\xff\xee")
    return coded[:2] + coded[4 + int.from_bytes(coded[4:6], "big") :]


def marked(coded, transform):
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return coded[:2] + adobe + coded[2:]


@pytest.mark.parametrize(
    ("stored", "said", "mark"),
    [
        ("YCBCR", "YBR_FULL_422", lambda coded: coded),
        ("YCBCR", "RGB", lambda coded: coded),  # JFIF is right, the header wrong
        ("YCBCR", "YBR_FULL_422", unmarked),
        ("YCBCR", "YBR_FULL_422", lambda coded: marked(unmarked(coded), 1)),
        ("RGB", "RGB", unmarked),
        ("RGB", "RGB", lambda coded: coded),
        ("RGB", "YBR_FULL_422", lambda coded: marked(unmarked(coded), 0)),
    ],
)
def test_the_colours_of_jpeg(texture, path, stored, said, mark):
    def encode(frame):
        return mark(jpeg(frame, stored))

    said_by = {"syntax": JPEGBaseline8Bit, "PhotometricInterpretation": said}
    write_dicom_slide(path, texture, encode=encode, **said_by)
    error = np.abs(whole(path).astype(int) - texture)
    assert error.mean() < 2  # 15 and more where YCbCr is taken for RGB


def test_uncompressed_ybr(path):
    pixels = np.zeros((TILE, TILE, 3), np.uint8)
    pixels[:, :64], pixels[:, 64:] = (200, 30, 60), (10, 220, 130)
    stored = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    write_dicom_slide(path, stored, PhotometricInterpretation="YBR_FULL")
    assert np.abs(whole(path).astype(int) - pixels).max() <= 2


def test_colours_in_separate_planes(texture, path):
    write_dicom_slide(
        path, texture, PlanarConfiguration=1, encode=lambda f: np.moveaxis(f, 2, 0).tobytes()
    )
    assert np.array_equal(whole(path), texture)


@pytest.mark.parametrize(("bits", "syntax"), [(16, RLELossless), (12, ExplicitVRLittleEndian)])
def test_the_high_bits_of_deep_grey(texture, path, bits, syntax):
    deep = texture[..., 0].astype(np.uint16) << (bits - 8)
    write_dicom_slide(path, deep, syntax=syntax, BitsStored=bits, HighBit=bits - 1)
    assert np.array_equal(whole(path), np.repeat(texture[..., :1], 3, axis=2))


def test_inverted_grey(texture, path):
    write_dicom_slide(path, 255 - texture[..., 0], PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(whole(path), np.repeat(texture[..., :1], 3, axis=2))


def test_an_extended_offset_table(texture, path):
    write_dicom_slide(path, texture, syntax=RLELossless, extended=True)
    assert np.array_equal(whole(path), texture)


@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_without_an_offset_table(texture, path, fragments):
    from pydicom import dcmread
    from pydicom.encaps import encapsulate

    write_dicom_slide(path, texture, syntax=JPEG2000Lossless)
    slide = dcmread(path)
    coded = [
        bytes(imagecodecs.jpeg2k_encode(tile, level=0, codecformat="J2K"))
        for tile in tiles(texture)
    ]
    slide.PixelData = encapsulate(coded, fragments_per_frame=fragments, has_bot=False)
    slide.save_as(path)
    assert np.array_equal(whole(path), texture)


def write_series(folder, pixels, levels=3, series="1.2.3", **elements):
    folder.mkdir(exist_ok=True)
    for level in range(levels):
        name = f"{series}-{level}.dcm"
        write_dicom_slide(folder / name, pixels, SeriesInstanceUID=series, **elements)
        pixels = np.ascontiguousarray(pixels[::2, ::2])


def test_a_series_is_a_pyramid_by_folder_or_by_any_of_its_files(texture, tmp_path):
    folder = tmp_path / "slide"
    write_series(folder, texture)
    beside = texture[:200, :200]
    for kind in ("LABEL", "OVERVIEW"):
        flavour = ["ORIGINAL", "PRIMARY", kind, "NONE"]
        write_dicom_slide(
            folder / f"{kind}.dcm", beside, SeriesInstanceUID="1.2.3", ImageType=flavour
        )
    (folder / "notes.txt").write_text("no DICOM")
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 100)
    for path in (folder, folder / "1.2.3-1.dcm", folder / "LABEL.dcm"):
        with open_source(path, "slide") as source:
            assert source.path == path
            assert [v.width_px for v in source.levels] == [1000, 500, 250]
            assert source.levels[1].downsample == 2.0
            assert np.array_equal(source.read(0, 0, 1000, 700), texture)
            assert np.array_equal(source.read(80, 40, 50, 60, 2), texture[40:280:4, 80:280:4])


def test_a_file_keeps_to_its_own_series(texture, tmp_path):
    folder = tmp_path / "two"
    write_series(folder, texture, levels=2)
    write_series(folder, texture[:300], levels=1, series="1.2.4")
    with open_source(folder / "1.2.4-0.dcm", "slide") as source:
        assert [v.height_px for v in source.levels] == [300]
    with pytest.raises(SourceError, match="two: a folder with 2 DICOM slides; give the path of"):
        open_source(folder, "slide")


def test_the_same_instance_twice_is_one_level_another_of_its_size_is_refused(texture, tmp_path):
    folder = tmp_path / "slide"
    write_series(folder, texture, levels=2)
    (folder / "copy.dcm").write_bytes((folder / "1.2.3-0.dcm").read_bytes())
    with open_source(folder, "slide") as source:
        assert len(source.levels) == 2
    write_dicom_slide(folder / "second.dcm", texture // 2, SeriesInstanceUID="1.2.3")
    with pytest.raises(SourceError, match="slide: two instances of one size"):
        open_source(folder, "slide")


@pytest.mark.parametrize(
    ("elements", "rung", "um"),
    [
        ({}, "pixel spacing", 0.5),
        ({"ImagedVolumeWidth": 250.0, "ImagedVolumeHeight": 175.0}, "pixel spacing", 0.5),
        (
            {
                "SharedFunctionalGroupsSequence": None,
                "ImagedVolumeWidth": 0.25,
                "ImagedVolumeHeight": 0.175,
            },
            "imaged volume",
            0.25,
        ),
    ],
)
def test_the_spacing_ladder(texture, path, elements, rung, um):
    write_dicom_slide(path, texture, **elements)
    with DicomSource(path) as source:
        assert (source.spacing.rung, source.spacing.um) == (rung, pytest.approx(um))
    with DicomSource(path, 0.3) as source:
        assert (source.spacing.rung, source.spacing.um) == ("manifest", 0.3)


def test_the_power_of_the_objective_is_the_last_rung(texture, path):
    from pydicom import Dataset

    optics = Dataset()
    optics.ObjectiveLensPower = 40
    absurd = [measures(0.35)]
    said = {"SharedFunctionalGroupsSequence": absurd, "OpticalPathSequence": [optics]}
    write_dicom_slide(path, texture, **said)
    with DicomSource(path) as source:
        assert (source.spacing.rung, source.spacing.um) == ("objective power", 0.25)
        assert source.header.spacing_note == "spacing 350 from pixel spacing is implausible"


def test_oblong_pixels_are_no_spacing(texture, path):
    oblong = [measures(0.0005, 0.001)]
    write_dicom_slide(path, texture, SharedFunctionalGroupsSequence=oblong)
    with DicomSource(path) as source:
        assert source.spacing is None
        assert (
            "pixels of 1 x 0.5 µm from pixel spacing are not square" in source.header.spacing_note
        )


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"SOPClassUID": CTImageStorage}, r"of another kind than a slide \(CT Image Storage\)"),
        ({"ConcatenationUID": generate_uid()}, "one part of a concatenation"),
        ({"NumberOfOpticalPaths": 3}, "3 optical paths; export the one in colour"),
        ({"NumberOfFrames": 47}, "47 frames of 128 x 128 px do not cover"),
        ({"TotalPixelMatrixColumns": 9000}, "do not cover"),
        ({"Rows": 60000, "Columns": 60000}, "60000 x 60000 px cannot be read"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PALETTE COLOR"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, "only pictures beside"),
    ],
)
def test_what_is_no_slide_in_colour_is_refused(texture, path, elements, reason):
    write_dicom_slide(path, texture, **elements)
    with pytest.raises(SourceError, match=rf"a\.dcm: .*{reason}"):
        open_source(path, "slide")


def test_what_a_header_says_in_words_is_not_repeated(texture, path):
    write_dicom_slide(path, texture, PhotometricInterpretation="DOE JANE")
    with pytest.raises(SourceError, match="in unknown colours") as error:
        open_source(path, "slide")
    assert "DOE" not in str(error.value)


def test_a_folder_without_a_slide(tmp_path):
    with pytest.raises(SourceError, match="a folder, not an image, and without a slide in DICOM"):
        open_source(tmp_path, "slide")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGBaseline8Bit])
@pytest.mark.parametrize(
    ("claim", "side"), [(100_000, TILE), (400_000_000, 1), (2**31 - 1, TILE), (9, TILE)]
)
def test_frames_that_are_claimed_and_not_stored_are_never_placed(
    texture, path, syntax, claim, side
):
    across = max(claim // 20_000, 3)
    size = {"TotalPixelMatrixColumns": across * side, "TotalPixelMatrixRows": -(-claim // across)}
    size["TotalPixelMatrixRows"] *= side
    write_dicom_slide(path, texture, syntax=syntax, NumberOfFrames=claim, **size)
    if side == 1:
        rewrite(path, Rows=side, Columns=side)
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match=f"{path}: damaged or unusual DICOM") as caught:
        open_source(path, "slide")
    assert "frames" in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 200_000  # kB


def test_a_flood_of_empty_pieces_ends(texture, path):
    slide = write_dicom_slide(path, texture, syntax=JPEGBaseline8Bit)
    content = slide.read_bytes()
    end = content.rindex(b"\xfe\xff\xdd\xe0")
    path.write_bytes(content[:end] + b"\xfe\xff\x00\xe0\0\0\0\0" * 50_000 + content[end:])
    with pytest.raises(SourceError, match="in more than 4096 pieces"):
        open_source(path, "slide")


def test_a_flood_of_elements_before_the_pixels_ends(texture, path):
    content = write_dicom_slide(path, texture).read_bytes()
    pixels = content.index(b"\xe0\x7f\x10\x00OB")
    path.write_bytes(content[:pixels] + b"\x01\x60\x10\x00LO\0\0" * 200_000 + content[pixels:])
    with pytest.raises(SourceError, match="elements before its pixels"):
        open_source(path, "slide")


@pytest.mark.parametrize("sparse", [False, True])
def test_many_small_frames_are_read(path, sparse):
    count, tile = 3000, np.full((8, 8, 3), 200, np.uint8)
    pixels = np.zeros((8 * 50, 8 * 60, 3), np.uint8)
    places = [(8 * (i % 60), 8 * (i // 60), 0.0) for i in range(count)] if sparse else None
    write_dicom_slide(path, pixels, [tile] * count, places=places)
    assert (whole(path) == 200).all()


def test_damage_costs_its_region_only(texture, path):
    write_dicom_slide(path, texture, syntax=RLELossless)
    whole_file = path.read_bytes()
    frame = whole_file.rfind(b"\xfe\xff\x00\xe0")  # the last frame's item
    path.write_bytes(whole_file[: frame + 8] + b"\xff" * 64 + whole_file[frame + 72 :])
    with open_source(path, "slide") as source:
        for _ in range(2):
            with pytest.raises(SourceError, match=r"a\.dcm: frame 48 of level 0 cannot be decoded"):
                source.read(900, 650, 50, 50)
            assert np.array_equal(source.read(10, 20, 300, 200), texture[20:220, 10:310])


def test_a_forked_child_reads_through_a_file_of_its_own(texture, path):
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    with DicomSource(write_dicom_slide(path, texture)) as source:
        source.read(0, 0, 8, 8)
        file = source._files[0]
        parents, file._process = file._file, -1  # what a child sees
        assert np.array_equal(source.read(300, 300, 64, 64), texture[300:364, 300:364])
        assert file._file is not parents
        parents.close()


def test_the_patient_is_never_named(texture, path):
    write_dicom_slide(path, texture, syntax=RLELossless)
    content = path.read_bytes()
    assert PATIENT.encode() in content
    said = set()
    for at in range(300, 1500, 23):
        path.write_bytes(content[:at] + b"\xff" + content[at + 1 :])
        try:
            with DicomSource(path) as source:
                source.read(0, 0, 1000, 700)
        except SourceError as error:
            said.add(f"{error} {error.__cause__!r}")
    assert len(said) > 5
    assert not any("Doe" in sentence or "4711" in sentence for sentence in said)


@pytest.mark.data
def test_a_real_slide_equals_openslide(shared):
    path = shared / "data/wsi-small/slides/camelyon_multi_frame_jpeg2000.dcm"
    with open_source(path, "slide") as source:
        assert isinstance(source, DicomSource)
        assert source.header.stored_tile_px == (256, 256)
        assert source.spacing.um == pytest.approx(28.9685)
        assert np.array_equal(source.read(0, 0, 1696, 812), by_openslide(path))


@pytest.mark.data
def test_a_real_slide_that_openslide_refuses(shared):
    path = shared / "data/wsi-small/slides/TCGA-XK-AAJU-01A-01-TS1_small.dcm"
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(path)
    with open_source(path, "slide") as source:
        pixels = source.read(0, 0, 3236, 2638)
        # 15 mm x 15 mm over 3236 x 2638 px is what a program writes that does not know
        assert source.spacing is None
        assert (
            "4.63535 x 5.68613 µm from imaged volume are not square" in source.header.spacing_note
        )
    # its frames run down: no frame shows the black of an edge in the midst of the slide, and
    # neighbours continue each other
    steps = np.abs(np.diff(pixels.astype(np.int16), axis=1)).mean(axis=(0, 2))
    assert steps[499::500].mean() < 1.5 * steps.mean()
    assert (pixels.max(axis=2) == 0).mean() < 0.001


def test_a_jpeg_frame_is_not_read_past_its_damage(texture, tmp_path):
    path = tmp_path / "a.dcm"
    write_dicom_slide(path, texture, syntax=JPEGBaseline8Bit)
    content = bytearray(path.read_bytes())
    first = content.index(b"\xff\xd8\xff")
    second = content.index(b"\xff\xd8\xff", first + 3)
    middle = (first + second) // 2
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)
    with open_source(path, "slide") as source:
        with pytest.raises(SourceError, match=r"frame 1 of level 0 .*Corrupt JPEG data"):
            source.read(0, 0, 8, 8)
        level = source.levels[0]
        source.read(level.width_px - 8, level.height_px - 8, 8, 8)
