"""A drawn CT cohort on disk: the same bytes, read as drawn, masks where the rings are."""

import csv

import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID

from wholecase.core.errors import RecipeError
from wholecase.phantoms import draw_ct
from wholecase.phantoms.ct.scan import scan
from wholecase.phantoms.ct.study_plan import SCANNERS, SYNTAXES, plan_patients
from wholecase.sources import open_source, volume_mask

SMALL = {"side_px": 48, "reach_mm": 60.0}
PATIENTS, SEED = 12, 5
PLANNED = {p.id: p for p in plan_patients(PATIENTS, SEED, *SMALL.values())}


def rows_of(manifest):
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def content_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def slices_of(folder, series=2):
    """The headers of a series, the lowest slice first, as pydicom reads them."""
    headers = [dcmread(file) for file in folder.iterdir()]
    kept = [h for h in headers if h.SeriesNumber == series and "AXIAL" in h.ImageType]
    return sorted(kept, key=lambda header: header.ImagePositionPatient[2])


def read_all(source):
    size = source.levels[0].width_px, source.levels[0].height_px
    planes = range(len(source.planes_um))
    return np.stack([source.read(0, 0, *size, plane=plane)[..., 0] for plane in planes])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    return draw_ct(folder, patients=PATIENTS, seed=SEED, **SMALL)


@pytest.mark.slow
def test_workers_do_not_change_a_byte(drawn, tmp_path):
    again = draw_ct(tmp_path / "again", patients=2, seed=SEED, workers=2, **SMALL)
    alone = draw_ct(tmp_path / "alone", patients=2, seed=SEED, **SMALL)
    mine, theirs = content_of(alone.parent), content_of(again.parent)
    assert mine == theirs
    patient = PLANNED["phantom-001"]
    assert not np.array_equal(scan(patient, SEED).soft, scan(patient, 6).soft)


@pytest.mark.parametrize("case", PLANNED)
def test_a_folder_opens_as_it_was_drawn(drawn, case):
    patient, study = PLANNED[case], scan(PLANNED[case], SEED)
    with open_source(drawn.parent / "series" / case, "ct") as source:
        assert np.array_equal(read_all(source), study.soft)
        assert source.spacing.um == pytest.approx(1000 * patient.pixel_mm, rel=1e-4)
        apart_mm = patient.thickness_mm * np.cos(np.radians(patient.tilt_deg))
        assert np.diff(source.planes_um) == pytest.approx(1000 * apart_mm, rel=1e-3)
        notes = " ".join(source.remarks)
    assert ("kernel is not a sharp one" in notes) == patient.second
    assert ("scouts" in notes) == patient.scout
    assert ("tilted" in notes) == (patient.tilt_deg > 0)


def test_the_second_series_is_the_same_head_by_a_sharper_kernel(drawn):
    case = next(p for p in PLANNED.values() if p.second)
    with open_source(drawn.parent / "series" / f"{case.id}#3", "ct") as source:
        sharp = read_all(source)
    study = scan(case, SEED)
    assert np.array_equal(sharp, study.sharp)
    assert np.corrcoef(sharp.ravel(), study.soft.ravel())[0, 1] > 0.95
    brain = (study.soft > 20) & (study.soft < 45)
    assert sharp[brain].std() > 2 * study.soft[brain].std()


def test_all_scanners_and_syntaxes_are_met_alike_by_both_labels(drawn):
    for label in ("metastasis", "none"):
        mine = [p for p in PLANNED.values() if p.label == label]
        assert {p.scanner.site for p in mine} == {s.site for s in SCANNERS}
        assert {p.syntax for p in mine} == set(SYNTAXES)
    for case in PLANNED.values():
        first = slices_of(drawn.parent / "series" / case.id)[0]
        assert first.file_meta.TransferSyntaxUID == case.syntax
        assert UID(first.SOPInstanceUID).is_valid
        assert first.pixel_array.shape == (48, 48)


def test_names_tell_nothing_of_the_order(drawn):
    headers = [dcmread(f) for f in sorted((drawn.parent / "series/phantom-001").iterdir())]
    heights = [h.ImagePositionPatient[2] for h in headers if h.SeriesNumber == 2]
    assert heights not in (sorted(heights), sorted(heights, reverse=True))


def test_the_manifest_names_what_is_there(drawn):
    rows = rows_of(drawn)
    assert list(rows[0]) == ["case_id", "patient_id", "path", "label", "kind", "site", "mask"]
    assert sorted(row["label"] for row in rows) == ["metastasis"] * 6 + ["none"] * 6
    assert {row["kind"] for row in rows} == {"ct"}
    assert all((drawn.parent / row["path"]).is_dir() for row in rows)
    masks = {drawn.parent / row["mask"] for row in rows if row["mask"]}
    assert masks == set((drawn.parent / "masks").iterdir())
    assert all((row["mask"] != "") == (row["label"] == "metastasis") for row in rows)


def test_a_mask_lies_where_the_slices_lie(drawn):
    # of a tilted gantry, whose volume is sheared
    case = next(p for p in PLANNED.values() if p.tilt_deg and p.label == "metastasis")
    image = nibabel.load(drawn.parent / "masks" / f"{case.id}.nii.gz")
    mask = np.asarray(image.dataobj)
    assert set(np.unique(mask)) == {0, 1}
    assert np.array_equal(mask.transpose(2, 1, 0) > 0, scan(case, SEED).mask)
    headers = slices_of(drawn.parent / "series" / case.id)
    assert mask.shape == (48, 48, len(headers))
    for column, row, plane in np.argwhere(mask)[::7].tolist():
        header = headers[plane]
        across, down = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
        away = across * column * header.PixelSpacing[1] + down * row * header.PixelSpacing[0]
        left, back, up = np.array(header.ImagePositionPatient, float) + away
        place = image.affine @ [column, row, plane, 1]
        assert place[:3] == pytest.approx([-left, -back, up], abs=0.01)


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="at least 2"):
        draw_ct(tmp_path, patients=1, seed=0)
    with pytest.raises(RecipeError, match="too small"):
        draw_ct(tmp_path, patients=2, seed=0, side_px=20)
    assert not list(tmp_path.iterdir())
    (tmp_path / "series/phantom-001").mkdir(parents=True)
    (tmp_path / "series/phantom-001/mine.dcm").write_bytes(b"")
    with pytest.raises(RecipeError, match="holds other files"):
        draw_ct(tmp_path, patients=2, seed=0, **SMALL)
    assert not (tmp_path / "cohort.csv").exists()


def test_a_mask_lies_on_its_slices_also_of_a_tilted_gantry(drawn):
    tilted = {bool(PLANNED[r["case_id"]].tilt_deg): r for r in rows_of(drawn) if r["mask"]}
    assert len(tilted) == 2
    for row in tilted.values():
        with open_source(drawn.parent / row["path"], "ct") as source:
            found = volume_mask(drawn.parent / row["mask"], source)
        assert np.array_equal(found, scan(PLANNED[row["case_id"]], SEED).mask)
