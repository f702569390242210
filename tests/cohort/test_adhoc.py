from pathlib import Path

import pytest

from wholecase.cohort import cohort_of_images
from wholecase.core.errors import ManifestError


def test_each_image_is_a_case_with_a_name_of_its_own():
    paths = [Path(p) for p in ("x/a.svs", "y/a.TIFF", "a-2.png", "z/a.jpg", "b.dcm")]
    cohort = cohort_of_images(paths)
    assert [case.id for case in cohort.cases] == ["a", "a-2", "a-2-2", "a-3", "b"]
    assert [case.patient for case in cohort.cases] == [case.id for case in cohort.cases]
    assert [case.images[0].kind for case in cohort.cases] == [
        "slide", "slide", "tile", "tile", "slide",
    ]  # fmt: skip
    assert [case.images[0].path for case in cohort.cases] == paths
    assert cohort.classes == ()


def test_no_images_are_no_cohort():
    with pytest.raises(ManifestError, match="no images"):
        cohort_of_images([])


def test_series_are_named_after_their_folder_or_volume() -> None:
    paths = [Path("a/study"), Path("b/head.nii.gz"), Path("b/head.zip")]
    cohort = cohort_of_images(paths, kind="ct")
    assert [case.id for case in cohort.cases] == ["study", "head", "head-2"]
    assert {case.images[0].kind for case in cohort.cases} == {"ct"}
