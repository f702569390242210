"""Somebody's split file: every fault of it is told, and a clean one passes."""

import numpy as np
import pytest
from PIL import Image

from wholecase.audit import check_cohort, render_text
from wholecase.audit.page import page
from wholecase.cohort import read_cohort, read_sides

CASES = 24


def picture(rng):
    """Something with structure, as a scan has it."""
    small = rng.integers(0, 255, (12, 12, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((160, 160), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Case 1 is case 0 turned and recompressed, case 3 is case 2 again; others are their own."""
    root = tmp_path_factory.mktemp("sides")
    rng = np.random.default_rng(0)
    for i in range(CASES):
        picture(rng).save(root / f"{i}.png")
    with Image.open(root / "0.png") as first:
        turned = first.transpose(Image.Transpose.ROTATE_90)
        turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((130, 130)).save(
            root / "1.png.jpg", quality=70
        )
    (root / "1.png").unlink()
    (root / "1.png.jpg").rename(root / "1.jpg")
    (root / "3.png").write_bytes((root / "2.png").read_bytes())
    rows = ["case_id,patient_id,path,kind,label"]
    rows += [f"c{i},p{i},{i}.{'jpg' if i == 1 else 'png'},tile,{'ab'[i % 2]}" for i in range(CASES)]
    (root / "cohort.csv").write_text("\n".join(rows) + "\n")
    return root


def audit(folder, tmp_path, side_of, folds=1, leave=()):
    lines = ["case_id,patient_id,fold,side"]
    lines += [
        f"c{i},p{i},{fold},{side_of(fold, i)}"
        for fold in range(folds)
        for i in range(CASES)
        if i not in leave
    ]
    (tmp_path / "theirs.csv").write_text("\n".join(lines) + "\n")
    cohort = read_cohort(folder / "cohort.csv", None)
    return check_cohort(cohort, sides=read_sides(tmp_path / "theirs.csv", cohort))


def of_splits(found):
    return [one for one in found.findings if one.where.startswith(("fold", "all folds"))]


def test_a_clean_division_has_nothing_to_mend_and_its_sides_are_counted(folder, tmp_path):
    found = audit(folder, tmp_path, lambda _, i: "test" if i >= 16 else "train")
    assert of_splits(found) == []
    told = {(one.side): (one.cases, one.patients, dict(one.by_label)) for one in found.sides}
    assert told["train"] == (16, 16, {"a": 8, "b": 8})
    assert told["test"] == (8, 8, {"a": 4, "b": 4})
    assert "0 train" in render_text(found)
    assert '<section id="sides">' in page(found)


def test_copies_on_two_sides_are_errors_whether_turned_or_not(folder, tmp_path):
    found = audit(folder, tmp_path, lambda _, i: "test" if i in {1, 3, *range(18, 24)} else "train")
    told = [one.what for one in of_splits(found) if one.severity == "error"]
    assert any("same file or pixels on train and test in cases c2 and c3" in one for one in told)
    assert any("look the same on train and test in cases c0 and c1" in one for one in told)
    assert found.failed


def test_every_fault_of_a_division_is_told_at_once(folder, tmp_path):
    def side_of(fold, i):
        if fold == 0:
            return "test" if i % 2 and i > 3 else "train"
        return "test" if i > 18 else "valid" if i > 14 else "train"

    found = of_splits(audit(folder, tmp_path, side_of, folds=2, leave={7}))
    told = "\n".join(one.what for one in found)
    assert "cases are tested in several folds: c19, c21, c23" in told
    assert "no line names 1 cases of the cohort: c7" in told
    assert "its test side has no patient with a" in told
    assert "are never tested" in told


def test_a_patient_on_two_sides_is_found_by_any_spelling(folder, tmp_path):
    text = (folder / "cohort.csv").read_text()
    other = folder / "spelled.csv"
    other.write_text(text.replace("c5,p5,", "c5,P020,"))
    cohort = read_cohort(other, None)
    lines = ["case_id,patient_id,fold,side"]
    lines += [
        f"{c.id},{c.patient},0,{'test' if i >= 16 else 'train'}" for i, c in enumerate(cohort.cases)
    ]
    (tmp_path / "theirs.csv").write_text("\n".join(lines) + "\n")
    found = check_cohort(cohort, sides=read_sides(tmp_path / "theirs.csv", cohort))
    assert any("1 patient is on train and test" in one.what for one in of_splits(found))
