"""A manifest's further labels reach the cases; an empty cell is none, a strange one a mistake."""

import pytest
import torch

from wholecase.answer.targets import targets_of
from wholecase.cohort import Case, Labels, Target, read_cohort, read_leniently, require_classes
from wholecase.core.errors import ManifestError

TYPE = Labels("type", (("first", ("a", "A")), ("second", ("b",)), ("third", ("c",))), ("?",))
LABELS = Labels("label", (("n", ("n",)), ("p", ("p",))), (), {"tumour_type": TYPE})
GOOD = """case_id,patient_id,path,kind,label,type
1,x,1.png,tile,n,A
2,x,2.png,tile,p,
3,y,3.png,tile,p,c
3,y,4.png,tile,p,c
4,z,5.png,tile,n,?
"""


@pytest.fixture
def manifest(tmp_path):
    def write(text):
        path = tmp_path / "cohort.csv"
        path.write_text(text)
        return path

    return write


def test_each_case_has_them_in_the_order_of_the_recipe(manifest):
    cases = read_cohort(manifest(GOOD), LABELS).cases
    assert [case.targets for case in cases] == [
        (Target("tumour_type", *told),)
        for told in ((0, 3, "A"), (None, 3, None), (2, 3, "c"), (None, 3, "?"))
    ]
    assert [case.target for case in cases] == [0, 1, 1, 0]
    for plain in (None, LABELS.alone):
        assert all(case.targets == () for case in read_cohort(manifest(GOOD), plain).cases)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("p,c\n", "p,d\n", r"line 4, column 'type': the label 'd' belongs to no class"),
        ("4.png,tile,p,c", "4.png,tile,p,b", r"line 5, column 'type': case '3' has two of them"),
        ("4.png,tile,p,c", "4.png,tile,p,", r"'nothing' here and 'c' on line 4; give one"),
        ("label,type", "label,typ", r"column 'type': the header lacks it; did you mean 'typ'"),
    ],
)
def test_mistakes_are_named(manifest, before, after, told):
    path = manifest(GOOD.replace(before, after, 1))
    with pytest.raises(ManifestError, match=told):
        read_cohort(path, LABELS)
    if "header" not in told:
        assert len(read_leniently(path, LABELS).mistakes) == 1
        read_cohort(path, LABELS.alone)


def test_a_target_that_no_case_has_is_refused(manifest):
    bare = GOOD.replace(",A\n", ",\n").replace(",c\n", ",\n")
    cohort = read_cohort(manifest(bare), LABELS)
    with pytest.raises(ManifestError, match="no case has a label of the target 'tumour_type'"):
        require_classes(cohort)
    require_classes(read_cohort(manifest(GOOD), LABELS))


def test_they_become_rows_of_which_nan_says_that_there_is_none(manifest):
    cases = read_cohort(manifest(GOOD), LABELS).cases
    targets = targets_of(cases, 2)
    assert torch.equal(targets["label"], torch.eye(2)[[0, 1, 1, 0]])
    wanted = torch.tensor([[1, 0, 0], [torch.nan] * 3, [0, 0, 1], [torch.nan] * 3])
    assert torch.equal(targets["tumour_type"].nan_to_num(-1), wanted.nan_to_num(-1))
    assert targets_of(cases, 0) == {}
    assert targets_of([*cases, Case("5", "w", (), targets=cases[0].targets)], 2) == {}
