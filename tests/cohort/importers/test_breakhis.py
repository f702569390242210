"""BreakHis in any form: as published, in parts, flat, packed; one patient stays one."""

import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from wholecase.cohort import read_cohort
from wholecase.cohort.importers import Draft, breakhis, write_manifest
from wholecase.core.errors import ManifestError

TREE = "BreaKHis_v1/BreaKHis_v1/histology_slides/breast"


def lay(root: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def published(name: str) -> str:
    """Where the data set keeps a file of that name."""
    kind, year, slide, power, _ = name.split("-")
    label, sort = ("malignant" if "_M_" in kind else "benign"), kind.split("_")[2]
    return f"{TREE}/{label}/SOB/{sort}/{kind}_{year}-{slide}/{power}X/{name}"


NAMES = (
    "SOB_M_DC-14-2523-40-001.png",
    "SOB_M_DC-14-2523-400-012.png",
    "SOB_B_A-14-22549AB-100-002.png",
    "SOB_B_A-14-22549CD-40-002.png",
)


def told(draft: Draft) -> list[tuple[str | None, ...]]:
    return [(r.case_id, r.patient_id, r.label, r.tumor_type, r.magnification) for r in draft.rows]


EXPECTED = [
    ("14-22549", "14-22549", "benign", "adenosis", "100"),
    ("14-22549", "14-22549", "benign", "adenosis", "40"),
    ("14-2523", "14-2523", "malignant", "ductal_carcinoma", "40"),
    ("14-2523", "14-2523", "malignant", "ductal_carcinoma", "400"),
]


def test_the_tree_and_a_flat_folder_and_archives_are_one(tmp_path: Path) -> None:
    contents = {published(name): name.encode() for name in NAMES}
    tree = lay(tmp_path / "tree", contents)
    flat = lay(tmp_path / "flat", {name: name.encode() for name in NAMES})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name, content in contents.items():
            file.writestr(name, content)
        file.writestr("../../SOB_M_DC-14-9-40-001.txt", "not a picture")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as packed:
        packed.add(tree, "BreaKHis_v1")
    for root in (tree, flat, tmp_path / "a.zip", tmp_path / "b.tar.gz"):
        draft = breakhis(root)
        assert told(draft) == EXPECTED
        assert draft.notes == ("patient 14-22549 is one with the slides 14-22549AB, 14-22549CD",)
        assert all(row.path.read_bytes() == row.path.name.encode() for row in draft.rows)
    assert not list(tmp_path.glob("*.txt"))
    cohort = read_cohort(write_manifest(breakhis(tree), tmp_path / "cohort.csv"), None)
    assert [i.magnification for c in cohort.cases for i in c.images] == [100, 40, 40, 400]
    assert all(i.mpp is None for c in cohort.cases for i in c.images), "a power is no spacing"


def test_letters_may_tell_patients_apart(tmp_path: Path) -> None:
    root = lay(tmp_path, {name: name.encode() for name in NAMES})
    draft = breakhis(root, letters=True)
    assert {row.patient_id for row in draft.rows} == {"14-22549AB", "14-22549CD", "14-2523"}
    assert draft.notes == ()


def test_the_double_patient_is_one_and_its_images_count_once(tmp_path: Path) -> None:
    """Slide 14-13412 stands under two types, with images in common under other names."""
    root = lay(
        tmp_path / "images",
        {
            "SOB_M_DC-14-13412-40-001.png": b"one",
            "SOB_M_LC-14-13412-40-009.png": b"one",
            "SOB_M_LC-14-13412-40-010.png": b"two",
            "SOB_B_F-14-1-40-001.png": b"three",
            "notes.png": b"four",
        },
    )
    draft = breakhis(root)
    assert told(draft)[1:] == [("14-13412", "14-13412", "malignant", None, "40")] * 2
    assert len(draft.rows) == 3
    assert any("1 images that are there already" in line for line in draft.left_out)
    assert any("notes.png" in line for line in draft.left_out)
    assert any("ductal_carcinoma and lobular_carcinoma" in line for line in draft.notes)
    cohort = read_cohort(write_manifest(draft, tmp_path / "cohort.csv"), None)
    assert len(cohort.patients) == 2


def test_a_patient_with_both_classes_has_a_case_for_each(tmp_path: Path) -> None:
    names = ("SOB_M_DC-14-5A-40-001.png", "SOB_B_F-14-5B-40-001.png")
    draft = breakhis(lay(tmp_path, {name: name.encode() for name in names}))
    assert told(draft) == [
        ("14-5/benign", "14-5", "benign", "fibroadenoma", "40"),
        ("14-5/malignant", "14-5", "malignant", "ductal_carcinoma", "40"),
    ]


def test_what_is_no_breakhis_is_told(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no images called like"):
        breakhis(lay(tmp_path / "other", {"a.png": b""}))
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(ManifestError, match="cannot be unpacked beside itself"):
        breakhis(tmp_path / "broken.zip")
    with pytest.raises(ManifestError, match="no such archive"):
        breakhis(tmp_path / "lost.zip")


@pytest.mark.data
def test_the_real_sample(shared: Path) -> None:
    draft = breakhis(shared / "data" / "breakhis-sample")
    assert Counter(row.magnification for row in draft.rows) == {
        "40": 13,
        "100": 3,
        "200": 6,
        "400": 2,
    }
    assert Counter(row.label for row in draft.rows) == {"benign": 15, "malignant": 9}
    assert len({row.patient_id for row in draft.rows}) == 17
    assert {r.magnification for r in draft.rows if r.patient_id == "14-25197"} == {
        *("40", "100", "200", "400")
    }
    assert not draft.left_out
