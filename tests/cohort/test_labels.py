import pytest

from wholecase.cohort import Labels
from wholecase.core.errors import RecipeError


@pytest.mark.parametrize(
    ("classes", "ignore", "said"),
    [
        ((("a", ("x",)),), (), "needs two classes"),
        ((("a", ("x",)), ("a", ("y",))), (), "two classes are called 'a'"),
        ((("a", ("x",)), ("b", ())), (), "class 'b' has no label value"),
        ((("a", ("x", "y")), ("b", ("y",))), (), "'y' is listed twice"),
        ((("a", ("x",)), ("b", ("y",))), ("x",), "'x' is listed twice"),
    ],
)
def test_labels_that_contradict_themselves_are_refused(classes, ignore, said):
    with pytest.raises(RecipeError, match=said):
        Labels("label", classes, ignore)


def test_the_second_class_is_target_one():
    labels = Labels("egfr", (("wild", ("WT", "no")), ("mutated", ("L858R", "19del"))), ("unknown",))
    assert labels.names == ("wild", "mutated")
    assert [labels.target_of(v) for v in ("WT", "no", "19del", "unknown", "?")] == [
        0, 0, 1, None, None,
    ]  # fmt: skip
