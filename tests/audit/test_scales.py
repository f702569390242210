"""Patients and images by class, further label, fold and magnification."""

import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.audit import check_cohort, render_text, write_page
from wholecase.cohort import Labels, nested, read_cohort

KINDS = Labels(column="kind_of", classes=(("x", ("x",)), ("y", ("y",))))
LABELS = Labels(classes=(("no", ("no",)), ("yes", ("yes",))), further={"type": KINDS})


@pytest.fixture
def cohort(tmp_path):
    """Twelve patients at 40 and 100; the first lacks 100, the last has two images at 40."""
    lines = ["case_id,patient_id,path,kind,label,kind_of,magnification"]
    for i in range(12):
        for power in [40, *([100] if i else []), *([40] if i == 11 else [])]:
            name = f"{len(lines)}.png"
            pixels = np.random.default_rng(len(lines)).integers(0, 256, (20, 20, 3), np.uint8)
            Picture.fromarray(pixels).save(tmp_path / name)
            kind = ("x", "y", "")[i // 2 % 3]
            lines.append(f"c{i},p{i},{name},still,{('no', 'yes')[i % 2]},{kind},{power}")
    (tmp_path / "cohort.csv").write_text("\n".join(lines) + "\n")
    return read_cohort(tmp_path / "cohort.csv", LABELS)


def test_images_are_counted_by_class_type_fold_and_magnification(cohort, tmp_path):
    audit = check_cohort(
        cohort, divide=lambda known: nested(known, folds=3, validation=0.3, seed=1)
    )
    assert audit.scales.powers == (40.0, 100.0)
    rows = {(row.what, row.value): row for row in audit.scales.rows}
    assert rows["all", ""].images == (13, 11)
    assert (rows["all", ""].patients, rows["all", ""].complete) == (12, 11)
    assert rows["label", "no"].images == (6, 5)
    assert rows["label", "yes"].images == (7, 6)
    assert [rows["type", kind].patients for kind in ("(none)", "x", "y")] == [4, 4, 4]
    folds = [row for row in audit.scales.rows if row.what == "fold"]
    assert [row.patients for row in folds] == [4, 4, 4]
    assert np.sum([row.images for row in folds], 0).tolist() == [13, 11]
    text = render_text(audit)
    assert "images by test fold" in text
    heads = [line.split("  ")[-2:] for line in text.splitlines() if line.startswith("images by")]
    assert heads == [["40x", "100x"]] * 3
    assert "Images by label" in write_page(audit, tmp_path / "page.html").read_text()


def test_a_cohort_of_one_magnification_has_no_such_table(cohort, tmp_path):
    lines = (tmp_path / "cohort.csv").read_text().splitlines()
    kept = [line for line in lines if not line.endswith(",100")]
    (tmp_path / "one.csv").write_text("\n".join(kept) + "\n")
    assert check_cohort(read_cohort(tmp_path / "one.csv", LABELS)).scales.rows == ()


def test_a_further_column_is_counted_where_the_recipe_says_so(cohort, tmp_path):
    labels = Labels(classes=LABELS.classes, counted=("kind_of", "not_there"))
    counted = read_cohort(tmp_path / "cohort.csv", labels)
    assert not any("kind_of" in remark.where for remark in counted.remarks)
    rows = check_cohort(counted).scales.rows
    kinds = [(row.value, row.patients, row.images) for row in rows if row.what == "kind_of"]
    assert kinds == [("(none)", 4, (5, 4)), ("x", 4, (4, 3)), ("y", 4, (4, 4))]
    assert {row.what for row in rows} == {"all", "label", "kind_of"}
