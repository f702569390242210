"""Images by magnification: what a run says of those that it used."""

from dataclasses import replace
from pathlib import Path

import pytest

from wholecase.cohort import Cohort, Labels, nested, read_cohort
from wholecase.experiment.magnifications import magnification_lines, write_magnifications
from wholecase.extract import Extraction
from wholecase.extract.jobs import reference
from wholecase.features import Store
from wholecase.report.read import _counted
from wholecase.runs import RunFolder

NONE = Extraction("pixels", 3, {}, (), {}, {}, 0, 0, 0, {}, 0)
LABELS = Labels(classes=(("no", ("no",)), ("yes", ("yes",))))


def cohort_of(folder: Path, column: str, values: tuple[str, ...]) -> Cohort:
    """Twelve patients with an image for each value."""
    rows = [f"case_id,patient_id,path,kind,label,{column}"]
    rows += [
        f"c{i},p{i},{i}-{n}.png,tile,{('no', 'yes')[i % 2]},{value}"
        for i in range(12)
        for n, value in enumerate(values)
    ]
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return read_cohort(folder / "cohort.csv", LABELS)


def told(folder: Path, cohort: Cohort, lost: int = 0) -> list[str]:
    run, store = RunFolder(folder), Store(folder / "features", {"width": 3})
    images = [image for case in cohort.cases for image in case.images][lost:]
    used = replace(NONE, bags={reference(image): (store, "") for image in images})
    split = nested(cohort, folds=3, validation=0.3, seed=1)
    write_magnifications(run, cohort, used, split)
    return list(magnification_lines(run))


def test_images_that_were_used_are_counted_by_label_and_fold(tmp_path: Path) -> None:
    lines = told(tmp_path, cohort_of(tmp_path, "magnification", ("40", "100", "")), lost=1)
    assert [line.split() for line in lines[:2]] == [
        ["images", "patients", "with", "all", "40x", "100x", "unknown"],
        ["12", "11", "11", "12", "12"],
    ]
    assert [line.split() for line in lines[3:5]] == [
        ["no", "6", "5", "5", "6", "6"],
        ["yes", "6", "6", "6", "6", "6"],
    ]
    folds = lines[lines.index(next(x for x in lines if x.startswith("images by test fold"))) + 1 :]
    assert sum(int(line.split()[4]) for line in folds) == 12
    first, *_ = _counted(RunFolder(tmp_path).magnifications)
    assert (first.counted, first.powers) == ("images", ("40x", "100x", "unknown"))
    assert first.rows == (("", "12", "11", "11", "12", "12"),)


@pytest.mark.parametrize(
    ("column", "values", "heads"),
    [("mpp", ("0.5", "0.25"), "20x   40x"), ("mpp", ("0.5",), "20x"), ("site", ("here",), None)],
)
def test_a_spacing_tells_it_too_and_nothing_tells_nothing(
    tmp_path: Path, column: str, values: tuple[str, ...], heads: str | None
) -> None:
    lines = told(tmp_path, cohort_of(tmp_path, column, values))
    assert bool(lines) == (heads is not None)
    if heads:
        assert lines[0].replace(" ", "").endswith(heads.replace(" ", ""))
    assert RunFolder(tmp_path).magnifications.is_file() == bool(lines)
