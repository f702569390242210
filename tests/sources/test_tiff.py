"""TIFF slides tile by tile: what tifffile gives in one piece, OpenSlide refuses or sees half."""

import os
import zlib

import numpy as np
import pytest
import tifffile

from wholecase.core.errors import SourceError
from wholecase.sources import OpenSlideSource, PlainSource, open_source
from wholecase.sources.tiff import TiffSource


def write(path, pixels, levels=3, subifds=True, metadata=None, **options):
    """A pyramid in SubIFDs, or page after page; an OME-TIFF where the name says so."""
    options = {"tile": (128, 128), "photometric": "rgb"} | options
    planar = pixels.shape[-1] not in (3, 4)
    kind = {key: options.pop(key) for key in ("bigtiff", "byteorder") if key in options}
    with tifffile.TiffWriter(path, **kind) as file:
        for level in range(levels):
            place = {"subfiletype": 1, "metadata": None} if level else {"metadata": metadata}
            if subifds and not level and levels > 1:
                place["subifds"] = levels - 1
            file.write(pixels, **place, **options)
            pixels = pixels[..., ::2, ::2] if planar else pixels[..., ::2, ::2, :]
    return path


def rgb_of(array, axes):
    """The oracle: all pixels of a level as [H, W, 3] of 8 bits."""
    if axes in ("SYX", "CYX"):
        array = np.moveaxis(array, 0, -1)
    if axes.startswith("Z"):
        array = array[len(array) // 2]
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    return np.repeat(array[..., None], 3, axis=-1) if array.ndim == 2 else array


def assert_as_tifffile(path):
    with TiffSource(path) as source, tifffile.TiffFile(path) as file:
        levels = file.series[0].levels
        assert len(levels) == len(source.levels)
        for index, level in enumerate(levels):
            size = source.levels[index]
            pixels = source.read(0, 0, size.width_px, size.height_px, index)
            assert np.array_equal(pixels, rgb_of(level.asarray(), level.axes))
        return [size.width_px for size in source.levels]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"metadata": {"axes": "YXS"}},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"compression": "zstd"},
        {"compression": "jpeg"},
        {"compression": "jpeg", "subsampling": (2, 2)},
        {"compression": "jpeg2000"},
        {"compression": "webp"},
        {"tile": (256, 64)},
        {"tile": None, "rowsperstrip": 37, "compression": "zlib"},
    ],
    ids=str,
)
def test_levels_in_subifds(texture, tmp_path, options):
    path = write(tmp_path / "a.tif", texture, **options)
    with open_source(path, "slide") as source:
        assert isinstance(source, TiffSource)
    assert assert_as_tifffile(path) == [1000, 500, 250]


@pytest.mark.parametrize("compression", ["jpeg2000", "webp", "lzma", "jpegxl"])
def test_compressions_that_openslide_refuses(texture, tmp_path, compression):
    path = write(tmp_path / "a.tif", texture, subifds=False, compression=compression)
    with open_source(path, "slide") as source:
        assert isinstance(source, TiffSource)
    assert assert_as_tifffile(path) == [1000, 500, 250]


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd", "packbits"])
def test_what_openslide_reads_stays_with_it_and_is_the_same(texture, tmp_path, compression):
    path = write(tmp_path / "a.tif", texture, subifds=False, compression=compression)
    with open_source(path, "slide") as source, TiffSource(path) as other:
        assert isinstance(source, OpenSlideSource)
        assert [v.width_px for v in other.levels] == [v.width_px for v in source.levels]
        assert np.array_equal(source.read(0, 0, 1000, 700), other.read(0, 0, 1000, 700))


@pytest.mark.parametrize(
    ("axes", "shape", "options"),
    [
        ("YXS", lambda t: t, {}),
        ("CYX", lambda t: np.moveaxis(t, 2, 0), {"photometric": "minisblack"}),
        ("CYX", lambda t: np.moveaxis(t, 2, 0), {"planarconfig": "separate"}),
        ("YX", lambda t: t[..., 1], {"photometric": "minisblack"}),
        ("YX", lambda t: t[..., 1].astype(np.uint16) << 8, {"photometric": "minisblack"}),
        ("YXS", lambda t: t.astype(np.uint16) * 257, {"compression": "zlib"}),
    ],
    ids=["interleaved", "pages", "planar", "grey", "grey16", "rgb16"],
)
def test_ome_tiff_however_its_colours_lie(texture, tmp_path, axes, shape, options):
    metadata = {"axes": axes, "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    path = write(tmp_path / "a.ome.tif", shape(texture), metadata=metadata, **options)
    assert assert_as_tifffile(path) == [1000, 500, 250]
    with open_source(path, "slide") as source:
        assert isinstance(source, TiffSource)
        assert (source.spacing.rung, source.spacing.um) == ("ome-xml", 0.25)


def test_the_middle_one_of_several_focal_planes(texture, tmp_path):
    stack = np.stack([texture // 4, texture, texture // 2])
    path = write(tmp_path / "a.ome.tif", stack, levels=1, metadata={"axes": "ZYXS"})
    with open_source(path, "slide") as source:
        assert np.array_equal(source.read(0, 0, 1000, 700), texture)


def test_opacity_lies_on_white(texture, tmp_path):
    alpha = np.full((700, 1000, 1), 255, np.uint8)
    alpha[:300] = 0
    seen = {"extrasamples": ["unassalpha"]}
    path = write(tmp_path / "a.tif", np.concatenate([texture, alpha], 2), **seen)
    with open_source(path, "slide") as source:
        pixels = source.read(0, 0, 1000, 700)
        assert np.all(pixels[:300] == 255)
        assert np.array_equal(pixels[300:], texture[300:])


def test_tiles_that_are_left_out_are_white(texture, tmp_path):
    path = write(tmp_path / "a.tif", texture, levels=2)
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = list(file.pages.first.databytecounts)
        counts[0] = 0
        file.pages.first.tags["TileByteCounts"].overwrite(counts)
    with open_source(path, "slide") as source:
        pixels = source.read(0, 0, 1000, 700)
        assert np.all(pixels[:128, :128] == 255)
        assert np.array_equal(pixels[128:], texture[128:])


def test_the_largest_image_of_several_is_the_slide(texture, tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path) as file:
        for pixels, um in ((texture[:200, :300], 9.0), (texture, 0.5)):
            size = {"PhysicalSizeX": um, "PhysicalSizeY": um}
            file.write(pixels, tile=(128, 128), photometric="rgb", metadata={"axes": "YXS"} | size)
    with open_source(path, "slide") as source:
        assert np.array_equal(source.read(0, 0, 1000, 700), texture)
        assert source.spacing.um == 0.5


@pytest.mark.parametrize(
    ("size", "unit", "um"),
    [(250, "nm", 0.25), (0.00025, "mm", 0.25), (0.5, "µm", 0.5), (0.5, "\u03bcm", 0.5)],
)
def test_units_of_ome(texture, tmp_path, size, unit, um):
    keys = {f"PhysicalSize{a}": size for a in "XY"} | {f"PhysicalSize{a}Unit": unit for a in "XY"}
    path = write(tmp_path / "a.ome.tif", texture, levels=1, metadata={"axes": "YXS"} | keys)
    with TiffSource(path) as source:
        assert source.spacing.um == pytest.approx(um)


def rewrite_xml(path, *changes):
    text = tifffile.tiffcomment(path)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    tifffile.tiffcomment(path, text.encode())


def test_ome_then_tags_then_power(texture, tmp_path):
    tags = {"resolution": (20000, 20000), "resolutionunit": 3}
    metadata = {"axes": "YXS", "PhysicalSizeX": 350.0, "PhysicalSizeY": 350.0}
    path = write(tmp_path / "a.ome.tif", texture, metadata=metadata, **tags)
    power = (
        '<Instrument ID="Instrument:0"><Objective ID="Objective:0:0" NominalMagnification="40"/>'
    )
    rewrite_xml(path, ("<Image ", f"{power}</Instrument><Image "))
    with TiffSource(path) as source:
        assert (source.spacing.rung, source.spacing.um) == ("tiff tags", 0.5)
        assert source.header.spacing_note == "spacing 350 from ome-xml is implausible"
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages.first.tags["ResolutionUnit"].overwrite(1)
    with TiffSource(path) as source:
        assert (source.spacing.rung, source.spacing.um) == ("objective power", 0.25)
    with TiffSource(path, 0.3) as source:
        assert source.spacing.rung == "manifest"


@pytest.mark.parametrize("unit", ["pixel", "reference frame"])
def test_a_unit_that_is_no_length_tells_nothing(texture, tmp_path, unit):
    keys = {"PhysicalSizeX": 1.0, "PhysicalSizeXUnit": unit}
    path = write(tmp_path / "a.ome.tif", texture, metadata={"axes": "YXS"} | keys)
    with TiffSource(path) as source:
        assert source.spacing is None
        assert source.header.spacing_note == "the file tells no spacing"


@pytest.mark.parametrize(
    ("pixels", "options", "reason"),
    [
        (
            lambda t: np.stack([t[..., 0]] * 5),
            {"metadata": {"axes": "CYX"}},
            "5 C planes of 8 bits",
        ),
        (
            lambda t: np.moveaxis(t, 2, 0).astype(np.uint16),
            {"metadata": {"axes": "CYX"}},
            "3 C planes of 16 bits are no stained section",
        ),
        (lambda t: np.stack([t[..., 0]] * 2), {"metadata": {"axes": "TYX"}}, "2 T planes"),
        (lambda t: t[..., 0].astype(np.float32), {"metadata": {"axes": "YX"}}, "of 32 bits"),
    ],
)
def test_what_is_no_section_in_colour_is_refused(texture, tmp_path, pixels, options, reason):
    grey = {"photometric": "minisblack", "levels": 1}
    path = write(tmp_path / "a.ome.tif", pixels(texture), **grey, **options)
    with pytest.raises(SourceError, match=rf"a\.ome\.tif: .*{reason}"):
        open_source(path, "slide")


def test_planes_in_other_files_are_not_fetched(texture, tmp_path):
    path = write(tmp_path / "a.ome.tif", texture, metadata={"axes": "YXS"})
    elsewhere = '<UUID FileName="/etc/passwd">urn:uuid:1</UUID></TiffData>'
    text = tifffile.tiffcomment(path)
    start = text.index("<TiffData")
    end = text.index("/>", start)
    rewrite_xml(path, (text[start : end + 2], f"{text[start:end]}>{elsewhere}"))
    with pytest.raises(SourceError, match="its planes lie in 1 other files as well"):
        open_source(path, "slide")


def test_strips_of_moderate_size_stay_flat(texture, tmp_path):
    path = write(tmp_path / "a.tif", texture, levels=1, tile=None)
    with open_source(path, "slide") as source:
        assert isinstance(source, PlainSource)


def test_strips_too_large_for_one_piece_are_read_in_strips(tmp_path):
    path = tmp_path / "a.tif"
    rows = 100
    tifffile.imwrite(
        path,
        (zlib.compress(bytes([i]) * (rows * 20000 * 3), 1) for i in range(100)),
        shape=(100 * rows, 20000, 3),
        dtype=np.uint8,
        rowsperstrip=rows,
        compression="zlib",
        photometric="rgb",
    )
    with open_source(path, "slide", 0.5) as source:
        assert isinstance(source, TiffSource)
        assert source.header.stored_tile_px == (20000, 100)
        assert source.read(15000, 4990, 2, 20)[..., 0].T.tolist() == [[49] * 10 + [50] * 10] * 2


def test_one_piece_that_is_too_large_is_told(tmp_path):
    path = tmp_path / "a.ome.tif"
    empty = np.zeros((8200, 8200), np.uint8)
    tifffile.imwrite(path, empty, rowsperstrip=8200, compression="zlib", metadata={"axes": "YX"})
    with pytest.raises(SourceError, match="stored in pieces of 8200 x 8200 px; convert it to a"):
        open_source(path, "slide")


def read_all(path):
    with open_source(path, "slide") as source:
        for index, level in enumerate(source.levels):
            source.read(0, 0, level.width_px, level.height_px, index)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_file_cut_off_anywhere_is_refused(texture, tmp_path, name, share):
    metadata = {"axes": "YXS"} if "ome" in name else None
    path = write(tmp_path / name, texture, metadata=metadata, compression="jpeg")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match=rf"{name}: "):
        read_all(path)


def test_damage_costs_its_region_only(texture, tmp_path):
    path = write(tmp_path / "a.tif", texture, compression="zlib")
    with tifffile.TiffFile(path) as file:
        start = file.pages.first.dataoffsets[9]  # column 1, row 1
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xff" * 64 + content[start + 64 :])
    with open_source(path, "slide") as source:
        for _ in range(2):
            with pytest.raises(
                SourceError, match=r"a\.tif: tile 9 at \(128, 128\), level 0, cannot"
            ):
                source.read(130, 130, 10, 10)
            assert np.array_equal(source.read(0, 0, 128, 128), texture[:128, :128])


def test_a_forked_child_reads_through_a_file_of_its_own(texture, tmp_path):
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    with TiffSource(write(tmp_path / "a.tif", texture)) as source:
        source.read(0, 0, 8, 8)
        parents, source._file._process = source._file._file, -1  # what a child sees
        assert np.array_equal(source.read(300, 300, 64, 64), texture[300:364, 300:364])
        assert source._file._file is not parents
        parents.close()
