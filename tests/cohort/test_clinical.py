"""One value a patient: what rows leave out others tell, what contradicts is refused by name."""

import pytest

from wholecase.cohort import Labels, read_cohort, read_leniently, read_to_ask
from wholecase.core.errors import ManifestError, RecipeError
from wholecase.recipes import read_recipe

LABELS = Labels(
    classes=(("no", ("0",)), ("yes", ("1",))),
    covariates=(("age", "number"), ("sex", "category")),
)
HEAD = "case_id,patient_id,path,kind,label,age,sex"


def manifest(folder, *rows, head=HEAD):
    path = folder / "cohort.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def values(cohort):
    return {case.id: tuple(one.value for one in case.covariates) for case in cohort.cases}


def test_a_patients_rows_complete_each_other(tmp_path) -> None:
    path = manifest(
        tmp_path,
        "c1,p1,a.png,tile,0,61,",
        "c1,p1,b.png,tile,0,,F",
        "c2,p1,c.png,tile,1,61.0,",
        "c3,p2,d.png,tile,1,,M",
    )
    cohort = read_cohort(path, LABELS)
    assert values(cohort) == {"c1": (61.0, "F"), "c2": (61.0, "F"), "c3": (None, "M")}
    (remark,) = [r for r in cohort.remarks if r.problem == "missing clinical values"]
    assert str(remark).startswith("missing clinical values: column 'age': 1 of 2 patients have no")


def test_values_that_contradict_each_other_are_refused_by_name(tmp_path) -> None:
    path = manifest(tmp_path, "c1,p1,a.png,tile,0,61,F", "c2,p1,b.png,tile,1,62,F")
    with pytest.raises(
        ManifestError,
        match=r"line 3, column 'age': patient 'p1' has two values, 62.0 here and 61.0 on line 2",
    ):
        read_cohort(path, LABELS)


def test_what_is_no_number_and_a_column_that_is_lacking_are_told(tmp_path) -> None:
    path = manifest(tmp_path, "c1,p1,a.png,tile,0,old,F", "c2,p2,b.png,tile,1,62,F")
    (mistake,) = read_leniently(path, LABELS).mistakes
    assert "line 2, column 'age': 'old' is no number" in str(mistake)
    lacking = manifest(tmp_path, "c1,p1,a.png,tile,0,60", head=HEAD.removesuffix(",sex"))
    for read in (read_cohort, read_to_ask):
        with pytest.raises(ManifestError, match="sex"):
            read(lacking, LABELS)


def test_a_label_and_mixed_cases_are_refused() -> None:
    with pytest.raises(RecipeError, match="names 'label', which is a label"):
        read_recipe("egfr-clam", ["cohort.covariates={label: number}"])
    with pytest.raises(RecipeError, match="number' or 'category"):
        read_recipe("egfr-clam", ["cohort.covariates={age: float}"])
