"""CT series as they come: every file of a real collection, and drawn ones whose truth is known."""

import csv
import zipfile
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from wholecase.core.errors import SourceError
from wholecase.core.kinds import CT, RGB
from wholecase.sources import ImageSource, fingerprint, open_source
from wholecase.sources.ct.series_name import Place

SIDE = 16
PLANTED = "ZZPLANTED"


def values(number: int) -> np.ndarray:
    """HU of the slice at that place."""
    drawn = np.random.default_rng(number).integers(-1000, 2000, (SIDE, SIDE))
    drawn[0, 0] = number
    return drawn


def write_slice(path: Path, number: int, **changes: object) -> None:
    """A slice 5 mm above the last, with an identifier in every text that a scanner may fill."""
    slope, intercept = changes.pop("slope", 1), changes.pop("intercept", -1024)
    tilt = np.radians(changes.pop("tilt", 0.0))
    units, syntax = changes.pop("units", values(number)), changes.pop("syntax", None)
    stored = np.rint((units - intercept) / slope).astype(np.int16)
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = CTImageStorage
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for name in ("PatientName", "PatientID", "SeriesDescription", "StudyDescription"):
        setattr(file, name, PLANTED)
    for name in ("InstitutionName", "ProtocolName", "ConvolutionKernel", "StationName"):
        setattr(file, name, PLANTED[:9])
    file.Modality, file.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.SeriesInstanceUID, file.SeriesNumber, file.InstanceNumber = "1.2.3", 2, 1
    file.Rows = file.Columns = SIDE
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleSlope, file.RescaleIntercept = slope, intercept
    file.PixelSpacing, file.SliceThickness = [0.5, 0.5], 5
    file.ImageOrientationPatient = [1, 0, 0, 0, np.cos(tilt), np.sin(tilt)]
    file.ImagePositionPatient = [-4, -4, 5 * number / np.cos(tilt)]
    file.PixelData = stored.tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(file, name)
        else:
            setattr(file, name, value)
    if syntax is not None:
        file.compress(syntax, encoding_plugin="pydicom")
    file.save_as(path, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five slices whose names are in no order."""
    there = tmp_path / "series"
    there.mkdir()
    for number, name in enumerate("dbeac"):
        write_slice(there / f"{name}.dcm", number)
    return there


def heights_mm(source: ImageSource) -> list[float]:
    return [um / 1000 for um in source.planes_um]


def read(source: ImageSource, plane: int) -> np.ndarray:
    level = source.levels[0]
    return source.read(0, 0, level.width_px, level.height_px, plane=plane)[..., 0]


def check_values(path: Path, numbers: range, spacing_mm: float = 5.0) -> tuple[str, ...]:
    with open_source(path, "ct") as source:
        assert source.kind == CT
        np.testing.assert_allclose(np.diff(heights_mm(source)), spacing_mm, atol=0.01)
        for plane, number in enumerate(numbers):
            np.testing.assert_array_equal(read(source, plane), values(number))
        assert len(source.planes_um) == len(numbers)
        assert source.spacing is not None
        assert source.spacing.um == 500
        return *source.notes, *source.remarks


def refused(path: Path, words: str) -> None:
    with pytest.raises(SourceError, match=words) as error:
        open_source(path, "ct")
    assert PLANTED not in str(error.value)
    assert "\n" not in str(error.value)


def test_slices_are_ordered_by_where_they_lie(folder: Path) -> None:
    assert check_values(folder, range(5)) == ()
    rng = np.random.default_rng(1)
    for file, name in zip(sorted(folder.iterdir()), rng.permutation(5), strict=True):
        file.rename(folder / f"x{name}")
    assert check_values(folder, range(5)) == ()


def test_a_zip_is_its_folder(folder: Path) -> None:
    packed = folder.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as file:
        for path in folder.iterdir():
            file.write(path, f"study/{PLANTED}/{path.name}")
    assert check_values(packed, range(5)) == ()


def test_every_slice_has_its_own_scale_and_syntax(folder: Path) -> None:
    write_slice(folder / "d.dcm", 0, intercept=-2047)
    write_slice(folder / "b.dcm", 1, intercept=0, syntax=RLELossless)
    write_slice(folder / "e.dcm", 2, PhotometricInterpretation="MONOCHROME1")
    nearly = [1, 0, 1e-8, 0, 1, 0]  # directions that writers round differently are equal
    write_slice(folder / "a.dcm", 3, ImageOrientationPatient=nearly)
    notes = check_values(folder, range(5))
    assert notes == ("slices are rescaled each by its own slope and intercept",)


def test_padding_is_air_and_spare_bits_are_nothing(folder: Path) -> None:
    units = values(0)
    units[:3] = -2000
    write_slice(folder / "d.dcm", 0, units=units, PixelPaddingValue=-976)
    stored = (values(1) + 1024).astype(np.uint16) | 0x4000  # an overlay in a bit to spare
    twelve = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}
    write_slice(folder / "b.dcm", 1, PixelData=stored.tobytes(), **twelve)
    with open_source(folder, "ct") as source:
        assert (read(source, 0)[:3] == CT.outside).all()
        np.testing.assert_array_equal(read(source, 0)[3:], values(0)[3:])
        np.testing.assert_array_equal(read(source, 1), values(1))


def test_a_table_is_a_scale(folder: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4, 0, 16], "HU"
    table.LUTData = [0, 40, 80, 2000]
    table["LUTData"].VR = "US"
    stored = np.random.default_rng(0).integers(0, 4, (SIDE, SIDE)).astype(np.uint16)
    changes = {"PixelRepresentation": 0, "RescaleSlope": None, "RescaleIntercept": None}
    write_slice(
        folder / "d.dcm", 0, PixelData=stored.tobytes(), **changes,
        ModalityLUTSequence=Sequence([table]),
    )  # fmt: skip
    with open_source(folder, "ct") as source:
        np.testing.assert_array_equal(read(source, 0), np.array([0, 40, 80, 2000])[stored])


def test_a_tilted_gantry_is_known_by_positions_and_refuses_nothing(tmp_path: Path) -> None:
    for number in range(5):
        write_slice(tmp_path / f"{number}.dcm", number, tilt=18.0)
    with open_source(tmp_path, "ct") as source:
        assert "the gantry was tilted by 18.0°" in source.remarks[0]
        np.testing.assert_array_equal(read(source, 3), values(3))
        np.testing.assert_allclose(np.diff(heights_mm(source)), 5.0, atol=0.01)
    write_slice(tmp_path / "0.dcm", 0, tilt=18.0, GantryDetectorTilt=0)
    with open_source(tmp_path, "ct") as source:
        assert "tilted by 18.0°" in source.remarks[0]


def test_gaps_and_damaged_files_are_told(folder: Path) -> None:
    (folder / "e.dcm").unlink()
    (folder / "f.dcm").write_bytes((folder / "d.dcm").read_bytes()[:400])
    with open_source(folder, "ct") as source:
        assert heights_mm(source) == [0, 5, 15, 20]
        damaged, gap = source.notes
        assert damaged == "1 damaged files are left out"
        assert gap.startswith("1 gaps of up to 10.0 mm where slices lie 5.0 mm apart: about 1")


def test_of_two_acquisitions_one_is_read(folder: Path) -> None:
    for number in range(3):
        write_slice(folder / f"more{number}.dcm", number, AcquisitionNumber=2, units=values(9))
    refused(folder, "3 slices lie where another lies")  # the first have no number at all
    for number, name in enumerate("dbeac"):
        write_slice(folder / f"{name}.dcm", number, AcquisitionNumber=1)
    (note,) = check_values(folder, range(5))
    assert note == "acquisition 1 of 2 is read, which has 5 slices"


def test_directions_and_sizes_are_not_mixed(folder: Path) -> None:
    sagittal = [0, 1, 0, 0, 0, -1]
    write_slice(folder / "x.dcm", 8, ImageOrientationPatient=sagittal)
    (note,) = check_values(folder, range(5))
    assert note == "1 slices of another direction or size are left out"
    for number in range(4):
        write_slice(folder / f"y{number}.dcm", number, ImageOrientationPatient=sagittal)
    refused(folder, r"slices of 2 directions or sizes in one series \(5 and 5 of each\)")


def test_a_slice_must_say_where_it_lies_and_what_it_means(folder: Path) -> None:
    write_slice(folder / "d.dcm", 0, RescaleIntercept=None)
    refused(folder, "without rescale slope and intercept")
    write_slice(folder / "d.dcm", 0, RescaleType="OD")
    refused(folder, "no Hounsfield units by their own word")
    for name in "dbeac":
        write_slice(folder / f"{name}.dcm", 0, ImagePositionPatient=None)
    refused(folder, "5 of 5 slices do not say where they lie")


SERIES: dict[str, tuple[dict[str, object], str]] = {
    "scout": ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "1 of them scouts"),
    "bone kernel": ({"ConvolutionKernel": "H60f"}, "its kernel is not a sharp one"),
    "derived": ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, "it is original"),
    "thinner": ({"SliceThickness": 1}, "its slices are thinner"),
    "sagittal": ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "it is axial"),
}


@pytest.mark.parametrize("other", SERIES)
def test_of_several_series_one_is_read_by_rule_or_by_word(folder: Path, other: str) -> None:
    changes, reason = SERIES[other]
    for number in range(5):
        position = [5 * number, -4, -4] if other == "sagittal" else [-4, -4, 5 * number]
        write_slice(
            folder / f"other{number}.dcm", number, units=values(50 + number), SeriesNumber=7,
            SeriesInstanceUID="1.2.7", **{"ImagePositionPatient": position, **changes},
        )  # fmt: skip
    first, second = (7, 2) if other == "thinner" else (2, 7)
    with open_source(folder, "ct") as source:
        assert source.remarks[0].startswith(f"series {first} of 2 is read")
        assert reason in source.remarks[0]
        assert (read(source, 0)[0, 0] == 0) == (first == 2)
    for wanted in (f"#{second}", "#1.2.7" if second == 7 else "#1.2.3"):
        named = folder.with_name(folder.name + wanted)
        with open_source(named, "ct") as source:
            assert (read(source, 0)[0, 0] == 0) == (second == 2)
        assert fingerprint(named) != fingerprint(folder)
    with pytest.raises(SourceError, match="no single series has the number 5; it has 2, 7"):
        open_source(folder.with_name(f"{folder.name}#5"), "ct")


def test_frames_are_slices_and_a_zip_unpacks_them_once(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pydicom.dcmread(folder / "d.dcm")
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    shared = Dataset()
    scale, measures, plane = Dataset(), Dataset(), Dataset()
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 1, -1024, "HU"
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.5], 5
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelValueTransformationSequence = [scale]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    frames = []
    order = (3, 0, 4, 1, 2)
    for number in order:
        frame, place = Dataset(), Dataset()
        place.ImagePositionPatient = [-4, -4, 5 * number]
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    file.SharedFunctionalGroupsSequence = [shared]
    file.PerFrameFunctionalGroupsSequence, file.NumberOfFrames = frames, 5
    stored = np.stack([values(number) + 1024 for number in order]).astype(np.int16)
    file.PixelData = stored.tobytes()
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(file, name)
    del file.RescaleSlope, file.RescaleIntercept
    file.save_as(tmp_path / "frames.dcm")
    assert check_values(tmp_path / "frames.dcm", range(5)) == ()
    with zipfile.ZipFile(tmp_path / "frames.zip", "w") as archive:
        archive.write(tmp_path / "frames.dcm", "study/frames.dcm")
    opened = Counter()

    def counted(self: Place, *given: zipfile.ZipFile) -> object:
        opened[self.member] += 1
        return open_place(self, *given)

    open_place = Place.open
    monkeypatch.setattr(Place, "open", counted)
    assert check_values(tmp_path / "frames.zip", range(5)) == ()
    assert opened == {"study/frames.dcm": 2}, "once for its header, once for all of its frames"
    monkeypatch.undo()
    file.compress(RLELossless, encoding_plugin="pydicom")
    file.save_as(tmp_path / "packed.dcm")
    assert check_values(tmp_path / "packed.dcm", range(5)) == ()
    del file.PerFrameFunctionalGroupsSequence[0]
    file.save_as(tmp_path / "frames.dcm")
    refused(tmp_path / "frames.dcm", "no file in it can be read as DICOM")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_volume_is_the_series_that_it_was_made_of(
    tmp_path: Path, name: str, turned: bool
) -> None:
    volume = np.stack([values(number) for number in range(5)])  # [Z, H, W], as DICOM has it
    cube = volume.transpose(2, 1, 0)[::-1, ::-1]  # to the right, front and top
    affine = np.diag([0.5, 0.5, 5.0, 1.0])
    if turned:  # stored from top to bottom
        cube, affine = cube[..., ::-1], affine @ np.diag([1, 1, -1, 1.0])
        affine[2, 3] = 20.0
    image = nibabel.Nifti1Image(np.ascontiguousarray(cube.astype(np.int16)), affine)
    nibabel.save(image, tmp_path / name)
    assert check_values(tmp_path / name, range(5)) == ()


def test_volumes_in_other_units_are_refused(tmp_path: Path) -> None:
    for units, words in (
        (np.zeros((4, 4, 4), np.int16), "begin at 0, and a CT in Hounsfield units"),
        (np.full((4, 4, 4), np.nan, np.float32), "numbers that are none"),
        (np.zeros((4, 4), np.int16), "one volume of three axes"),
    ):
        nibabel.save(nibabel.Nifti1Image(units, np.eye(4)), tmp_path / "a.nii")
        refused(tmp_path / "a.nii", words)
    (tmp_path / "a.nii").write_bytes(b"nothing")
    refused(tmp_path / "a.nii", "damaged or unusual NIfTI")


def test_pictures_are_slices_in_natural_order(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        Image.fromarray(np.full((8, 9), number, np.uint8)).save(tmp_path / f"s{number}.png")
    with open_source(tmp_path, "ct") as source:
        assert (source.kind, len(source.planes_um)) == (RGB, 3)
        assert [int(read(source, plane)[0, 0]) for plane in range(3)] == [1, 2, 10]
        assert "their window is baked in" in source.remarks[0]
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "s11.png")
    with open_source(tmp_path, "ct") as source, pytest.raises(SourceError, match="of one size"):
        read(source, 3)


def test_no_identifier_leaves_a_header(folder: Path) -> None:
    with open_source(folder, "ct") as source:
        assert PLANTED not in repr(source.header)
    (folder / "a.dcm").write_bytes((folder / "a.dcm").read_bytes()[:-40])
    with open_source(folder, "ct") as source:
        with pytest.raises(SourceError, match="slice 3 cannot be decoded") as error:
            read(source, 3)
        assert PLANTED not in str(error.value)
        np.testing.assert_array_equal(read(source, 2), values(2))


def test_damaged_runs_of_rle_cost_the_slice_and_not_the_process(folder: Path) -> None:
    write_slice(folder / "b.dcm", 1, syntax=RLELossless)
    whole = bytearray((folder / "b.dcm").read_bytes())
    whole[-150:] = bytes(150)
    (folder / "b.dcm").write_bytes(whole)
    with open_source(folder, "ct") as source:
        with pytest.raises(SourceError, match="slice 1 cannot be decoded"):
            read(source, 1)
        np.testing.assert_array_equal(read(source, 2), values(2))


LOSSY = {"50", "51", "81", "91"}


@pytest.mark.data
def test_every_real_file_is_read_or_refused_with_its_reason(shared: Path) -> None:
    root, outcomes, sums = shared / "data/dicom-ct-samples", {}, {}
    for row in csv.DictReader((root / "manifest.csv").read_text().splitlines()):
        path = root / row["path"]
        if "ge-head-series" in row["path"]:
            continue
        try:
            with open_source(path, "ct") as source:
                units = np.stack([read(source, n) for n in range(len(source.planes_um))])
        except SourceError as error:
            outcomes[path.name] = str(error).removeprefix(f"{path}: ")
            continue
        outcomes[path.name] = "read"
        assert units.min() >= CT.outside
        lossless = row["path"].rpartition(".")[0].rpartition(".")[2] not in LOSSY
        if path.name.startswith("CTImage") and lossless:
            sums[path.name] = int(units.sum(dtype=np.int64))
    of_ct = {name: what for name, what in outcomes.items() if name.startswith("CT")}
    assert len(set(sums.values())) == 1  # one slice in eight lossless syntaxes
    assert len(sums) == 8
    assert {name for name, what in of_ct.items() if what != "read"} == {
        "CTImage_JPEGProcess10_12_1.2.840.10008.1.2.4.55.dcm",
        "CTImage_JPEGProcess6_8_1.2.840.10008.1.2.4.53.dcm",
    }
    others = {name: what for name, what in outcomes.items() if name not in of_ct}
    read_too = {name for name, what in others.items() if what == "read"}
    assert read_too == {"bad_sequence.dcm"}  # a CT, too
    assert all("give a CT series" in what or "cannot be read" in what or "no file" in what
               for name, what in others.items() if name not in read_too)  # fmt: skip


@pytest.mark.data
def test_a_real_tilted_head_is_read_whole(shared: Path) -> None:
    folder = shared / "data/dicom-ct-samples/ge-head-series"
    with open_source(folder, "ct") as source:
        assert len(source.planes_um) == 28
        assert any("tilted by 18.5°" in remark for remark in source.remarks)
        files = [pydicom.dcmread(path) for path in folder.iterdir()]
        lowest = min(files, key=lambda file: file.ImagePositionPatient[2])
        expected = np.maximum(lowest.pixel_array, CT.outside)
        np.testing.assert_array_equal(read(source, 0), expected)
