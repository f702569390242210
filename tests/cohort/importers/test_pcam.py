"""PatchCamelyon in both forms becomes a manifest, and what is wrong with the files is told."""

import csv
import gzip

import h5py
import numpy as np
import pytest

from wholecase.cohort import anonymity_note, given, read_cohort
from wholecase.cohort.importers import pcam, pcam_kaggle, write_long_manifest
from wholecase.cohort.labels import Labels
from wholecase.core.errors import ManifestError, SourceError

STEM = "camelyonpatch_level_2_split_"
LABELS = Labels(classes=(("normal", ("normal",)), ("tumor", ("tumor",))))
SIZES = {"train": 12, "valid": 4, "test": 6}


def slide(side, i):
    return f"camelyon16_{side}_{i // 2}"


@pytest.fixture
def folder(tmp_path):
    """The published form, small: slides of two patches each."""
    folder = tmp_path / "pcam"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for side, size in SIZES.items():
        y = np.arange(size, dtype=np.uint8).reshape(-1, 1, 1, 1) % 2
        _write(folder, side, "x", rng.integers(0, 256, (size, 96, 96, 3), dtype=np.uint8))
        _write(folder, side, "y", y)
        _meta(folder, side, [(slide(side, i), bool(i % 2)) for i in range(size)])
    return folder


def _write(folder, side, name, values):
    with h5py.File(folder / f"{STEM}{side}_{name}.h5", "w") as file:
        file[name] = values


def _meta(folder, side, rows):
    with (folder / f"{STEM}{side}_meta.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["coord_y", "coord_x", "tumor_patch", "center_tumor_patch", "wsi"])
        writer.writerows([3, 4, centre, centre, wsi] for wsi, centre in rows)


def read(draft, path):
    return read_cohort(write_long_manifest(draft, path), LABELS)


@pytest.mark.parametrize("beside", [True, False])
def test_every_patch_has_a_row(folder, tmp_path, beside):
    out = folder / "cohort.csv" if beside else tmp_path / "elsewhere" / "cohort.csv"
    draft = pcam(folder)
    cohort = read(draft, out)
    assert draft.left_out == ()
    assert [case.id for case in cohort.cases][:2] == ["train-0", "train-1"]
    assert len(cohort.cases) == sum(SIZES.values())
    case = cohort.cases[13]
    assert (case.id, case.patient, case.label) == ("valid-1", "camelyon16_valid_0", "tumor")
    assert (case.split, case.target) == ("valid", 1)
    (image,) = case.images
    assert image.path.resolve() == (folder / f"{STEM}valid_x.h5#1").resolve()
    assert (image.kind, image.mpp) == ("tile", 0.97)
    assert (cohort.anonymous, anonymity_note(cohort)) == (0, "")
    fold = given(cohort, validation=0.5, seed=1).folds[0]
    assert [len(cases) for cases in fold.sides().values()] == [12, 4, 6]
    with pytest.raises(ManifestError, match="is there already"):
        write_long_manifest(draft, out)


def test_packed_files_are_unpacked_beside_themselves(folder, tmp_path):
    for path in folder.glob("*.h5"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    draft = pcam(folder)
    assert len(draft.left_out) == 6
    assert "train_x.h5.gz stays as it is" in draft.left_out[0]
    assert len(list(folder.glob("*.h5"))) == len(list(folder.glob("*.h5.gz"))) == 6
    assert len(read(draft, tmp_path / "c.csv").cases) == 22
    assert pcam(folder).left_out == ()


def test_a_packed_file_that_is_cut_off_leaves_nothing_behind(folder):
    path = folder / f"{STEM}test_x.h5"
    whole = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(whole[: len(whole) // 2])
    before = sorted(folder.iterdir())
    with pytest.raises(ManifestError, match=r"test_x.h5.gz cannot be unpacked.*fetch it again"):
        pcam(folder)
    assert sorted(folder.iterdir()) == before


def test_without_meta_files_the_slides_are_unknown(folder, tmp_path):
    for path in folder.glob("*_meta.csv"):
        path.unlink()
    draft = pcam(folder)
    assert [f"{side!r} are unknown" in told for side, told in zip(SIZES, draft.left_out, strict=1)]
    cohort = read(draft, tmp_path / "c.csv")
    assert cohort.anonymous == 22
    assert cohort.cases[5].patient == "train-5"
    assert "all 22 cases are unknown" in anonymity_note(cohort)


def test_one_side_alone_is_told(folder, tmp_path):
    for path in folder.glob(f"{STEM}valid_*"):
        path.unlink()
    (folder / f"{STEM}test_meta.csv").unlink()
    draft = pcam(folder)
    assert any("the side 'valid' is missing" in told for told in draft.left_out)
    cohort = read(draft, tmp_path / "c.csv")
    assert cohort.anonymous == 6
    assert "patients of 6 of 18 cases are unknown" in anonymity_note(cohort)


def test_a_slide_on_two_sides_is_refused_or_left_to_the_recipe(folder, tmp_path):
    _meta(folder, "test", [("camelyon16_train_0", bool(i % 2)) for i in range(6)])
    with pytest.raises(ManifestError, match=r"camelyon16_train_0 \(train and test\).*--drop-split"):
        pcam(folder)
    cohort = read(pcam(folder, drop_split=True), tmp_path / "c.csv")
    assert {case.split for case in cohort.cases} == {None}
    assert sum(case.patient == "camelyon16_train_0" for case in cohort.cases) == 8


def test_labels_that_the_meta_data_contradict_are_counted(folder):
    _meta(folder, "train", [(slide("train", i), i > 6) for i in range(12)])
    (told,) = pcam(folder).left_out
    assert "5 rows of" in told
    assert "contradict the labels of y" in told


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda f: _write(f, "test", "y", np.zeros((5, 1, 1, 1), "u1")), ManifestError,
         r"labels of shape \(5, 1, 1, 1\) for 6 patches"),
        (lambda f: _write(f, "test", "y", np.full((6, 1, 1, 1), 2, "u1")), ManifestError,
         "labels other than 0 and 1"),
        (lambda f: _meta(f, "test", [("s", True)] * 7), ManifestError, "7 rows for 6 patches"),
        (lambda f: (f / f"{STEM}test_y.h5").unlink(), SourceError, "test_y.h5: no such file"),
        (lambda f: _write(f, "test", "x", np.zeros(6, "u1")), ManifestError, "x has shape"),
        (lambda f: (f / f"{STEM}test_x.h5").write_bytes(b"no"), SourceError, "damaged or no HDF5"),
        (lambda f: (f / f"{STEM}test_meta.csv").write_text("slide\ns\n"), ManifestError,
         "column 'wsi': the header lacks it"),
        (lambda f: [path.unlink() for path in f.glob("*_x.h5")], ManifestError, "no .*train_x.h5"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(folder, spoil, error, said):
    spoil(folder)
    with pytest.raises(error, match=said) as caught:
        pcam(folder)
    assert str(caught.value).startswith(str(folder))


@pytest.fixture
def kaggle(tmp_path):
    folder = tmp_path / "kaggle"
    for name in ("train/a0.tif", "train/b1.tif", "train/loose.tif", "test/c.tif", "test/d.tif"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (folder / "train_labels.csv").write_text("id,label\na0,0\nb1,1\ngone,1\n")
    return folder


def test_kaggles_form_has_labels_and_no_patients(kaggle, tmp_path):
    draft = pcam_kaggle(kaggle)
    cohort = read(draft, tmp_path / "c.csv")
    assert [(c.id, c.patient, c.label, c.split) for c in cohort.cases] == [
        ("a0", "a0", "normal", None),
        ("b1", "b1", "tumor", None),
    ]
    assert cohort.cases[0].images[0].path == tmp_path / "kaggle/train/a0.tif"
    assert cohort.cases[0].images[0].mpp == 0.97
    assert cohort.anonymous == 2
    assert [told.split(" ")[0] for told in draft.left_out] == ["1", "1", "2"]
    assert "without a file in train: gone" in draft.left_out[0]
    assert "without a label: loose" in draft.left_out[1]
    assert "test have no labels" in draft.left_out[2]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,label\na0,0\na0,1\n", "line 3, column 'id': 'a0' is there already"),
        ("id,label\na0,2\n", "line 2, column 'label': '2' is unknown"),
        ("id,label\nz,1\n", "no id fits a file"),
        ("name,label\na0,1\n", "column 'id': the header lacks it"),
    ],
)
def test_a_wrong_table_is_refused(kaggle, table, said):
    (kaggle / "train_labels.csv").write_text(table)
    with pytest.raises(ManifestError, match=said):
        pcam_kaggle(kaggle)
