"""What scanners and people write into CT files stays in them: it is in no file that is written."""

import base64
import gzip
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from wholecase.assemble import bags_of, labels_of
from wholecase.cli import main
from wholecase.cohort import read_cohort
from wholecase.core.outlet import telling
from wholecase.execution import Place
from wholecase.recipes import read_recipe

TEXTS = (
    "PatientName", "PatientID", "IssuerOfPatientID", "OtherPatientNames", "PatientComments",
    "PatientAddress", "PatientMotherBirthName", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "ReferringPhysicianName", "PerformingPhysicianName",
    "OperatorsName", "RequestingPhysician", "PhysiciansOfRecord", "AccessionNumber", "StudyID",
    "StudyDescription", "SeriesDescription", "ProtocolName", "StationName", "DeviceSerialNumber",
    "AdmissionID", "RequestedProcedureDescription", "ImageComments", "ConvolutionKernel",
    "MilitaryRank", "Occupation", "AdditionalPatientHistory", "DerivationDescription",
)  # fmt: skip
"""Where names, numbers and words of people are found in headers."""
UID = "1.2.826.0.1.99887766."
BORN = "19031127"
PLANTED = re.compile(rb"QZ\d{4}|99887766|" + BORN.encode())
PATIENTS, SIDE = 12, 24
TINY = (
    f"cut.side_px={SIDE}",
    "model.backbone={name: small_cnn, channels: [4]}",
    "model.head={name: binary, hidden: [4], dropout: 0.0}",
    "train.stages=[]",
    "train.epochs=2",
    "protocol.folds=2",
    "batches={name: patients, positive: 1, negative: 1}",
    "evaluate.bootstrap=100",
)


def call(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


class Planter:
    """Words that occur nowhere else, each once."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"QZ{self.count:04}"


def write_slice(path: Path, which: tuple[int, int], plant: Planter) -> None:
    """A slice of a head whose header tells all that a header can tell of a person."""
    patient, number = which
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.SourceApplicationEntityTitle = plant()
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = CTImageStorage
    uid = f"{UID}{plant()[2:].lstrip('0')}"
    file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = f"{uid}.1"
    file.StudyInstanceUID, file.FrameOfReferenceUID = f"{uid}.2", f"{uid}.3"
    file.SeriesInstanceUID = f"{UID}{path.parent.parent.name}.4"
    for name in TEXTS:
        setattr(file, name, plant())
    file.PatientBirthDate = file.StudyDate = file.SeriesDate = BORN
    block = file.private_block(0x0011, plant(), create=True)
    block.add_new(0x01, "LO", plant())
    nested = Dataset()
    nested.ReferencedSOPInstanceUID, nested.CodeMeaning = f"{uid}.5", plant()
    file.ReferencedStudySequence = [nested]
    file.Modality, file.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.SeriesNumber, file.InstanceNumber = 2, number
    file.Rows = file.Columns = SIDE
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.RescaleSlope, file.RescaleIntercept = 1, -1024
    file.PixelSpacing, file.SliceThickness = [9.0, 9.0], 5
    file.ImageOrientationPatient, file.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 5 * number]
    units = np.random.default_rng(which).normal(35, 4, (SIDE, SIDE))
    units[:3], units[8:12, 8:12] = -1000, 35 + 40 * (patient % 2)
    file.PixelData = np.rint(units + 1024).astype(np.int16).tobytes()
    file.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> tuple[Path, Planter]:
    """A manifest whose own words are clean, and what was planted behind it."""
    folder, plant = tmp_path_factory.mktemp("planted"), Planter()
    rows = ["case_id,patient_id,path,kind,label"]
    for number in range(PATIENTS):
        inside = folder / f"{number}" / plant()
        inside.mkdir(parents=True)
        for place in range(3):
            write_slice(inside / f"{plant()}.dcm", (number, place), plant)
        rows.append(f"c{number},p{number},{number},ct,{('none', 'metastasis')[number % 2]}")
    # what is refused, left out or broken is told in words of its own
    (first,) = (folder / "0").iterdir()
    (first / f"{plant()}.dcm").write_bytes(next(first.glob("*.dcm")).read_bytes()[:600])
    (lost,) = (folder / f"{PATIENTS - 1}").iterdir()
    for file in lost.iterdir():
        header = pydicom.dcmread(file)
        header.Modality = plant()[:4]
        header.save_as(file)
    manifest = folder / "cohort.csv"
    manifest.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return manifest, plant


def test_neither_check_nor_store_nor_log_tells_what_headers_tell(
    planted: tuple[Path, Planter], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, plant = planted
    assert plant.count > PATIENTS * 3 * len(TEXTS)
    assert any(PLANTED.search(path.read_bytes()) for path in manifest.parent.rglob("*.dcm"))
    log, page = tmp_path / "log.jsonl", tmp_path / "check.html"
    words = ("check", manifest, "--html", page, "--log", log, "--workers", 0)
    assert call(*words) == 1  # the series that is no CT
    told = capsys.readouterr()
    assert "holds no CT" in told.out
    assert "damaged files are left out" in told.out
    assert found(told.out.encode()) | found(told.err.encode()) == set()
    recipe = read_recipe("brain-mets-ct", TINY)
    with telling(log=log):
        cohort = read_cohort(manifest, labels_of(recipe))
        done = bags_of(recipe, cohort, tmp_path / "store", Place(workers=0))
    assert len(done.bags) == PATIENTS - 1
    assert found(repr(done.failures).encode()) == set()
    assert found(capsys.readouterr().err.encode()) == set()
    assert len(assert_clean(tmp_path)) > 3


@pytest.mark.slow
def test_no_file_of_a_run_tells_what_headers_tell(
    planted: tuple[Path, Planter], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, _ = planted
    run, log = tmp_path / "run", tmp_path / "log.jsonl"
    words = ("--log", log, "--workers", 0)
    out = ("run", "brain-mets-ct", "--cohort", manifest, "--out", run, "--tolerated", "0.5")
    assert call(*out, *TINY, *words) == 0
    asked = ("predict", run, "--cohort", manifest, "--out", tmp_path / "p.csv")
    assert call(*asked, *words) == 2  # one series is lost
    assert call("explain", run, manifest.parent / "1", "--out", tmp_path / "shown", *words) == 0
    assert call("export", run, "--onnx", tmp_path / "model.onnx") == 0
    told = capsys.readouterr()
    assert found(told.out.encode()) | found(told.err.encode()) == set()
    names = {path.name for path in assert_clean(tmp_path)}
    assert {"report.html", "exclusions.csv", "recipe.yaml", "history.csv", "log.jsonl"} <= names
    assert {"p.csv", "model.safetensors", "familiar.safetensors", "model.onnx"} <= names
    assert any(name.endswith("-slices.csv") for name in names)
    reasons = (run / "exclusions.csv").read_text(encoding="utf-8")
    assert "holds no CT" in reasons
    assert json.loads(log.read_text().splitlines()[0])


def test_the_search_finds_what_lies_in_pictures_and_packed_files(tmp_path: Path) -> None:
    page = b"<img src='data:image/png;base64," + base64.b64encode(b"..QZ0001..") + b"'>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", "QZ0002" * 9)
    for content in (page, packed.getvalue(), gzip.compress(b"QZ0003"), "QZ0004".encode("utf-16")):
        assert found(content)
    (tmp_path / "QZ0005").write_bytes(b"")
    with pytest.raises(AssertionError, match="QZ0005"):
        assert_clean(tmp_path)


def assert_clean(folder: Path) -> list[Path]:
    """No name and no content of a file tells anything; returns the files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        place = path.relative_to(folder).as_posix()
        assert not found(place.encode()), place
        assert not found(path.read_bytes()), place
    return files


def found(content: bytes) -> set[bytes]:
    """What is planted in it, also within pictures of a page and in packed files."""
    parts = [content, content.replace(b"\0", b"")]
    parts += [base64.b64decode(p) for p in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content)]
    if content[:2] == b"\x1f\x8b":
        parts.append(gzip.decompress(content))
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts += [archive.read(name) for name in archive.namelist()]
    return {name for part in parts for name in PLANTED.findall(part)}
