from pathlib import Path

import pytest

from wholecase.cohort import Fold, Split, read_cohort, refuse_identical, twin_digests
from wholecase.core.errors import SplitError


@pytest.fixture
def split(case):
    a, b, c, d = (case(name, f"p{name}", 0, copies=(False, False)) for name in "abcd")
    return Split((Fold(0, (a, d), (b,), (c,)), Fold(1, (b, d), (c,), (a,))), "nested")


def digests(**same):
    """A digest per image, of its own unless told otherwise."""
    return {
        Path(f"{name}-{i}.png"): same.get(f"{name}{i}", f"{name}{i}")
        for name in "abcd"
        for i in range(2)
    }


@pytest.mark.parametrize(
    ("same", "fold", "sides"),
    [
        (("a0", "c1"), 0, ("train", "test")),
        (("a1", "b0"), 0, ("train", "valid")),
        (("b0", "c0"), 0, ("valid", "test")),
        (("a0", "d0"), 1, ("train", "test")),
    ],
)
def test_the_same_image_on_two_sides_stops(split, same, fold, sides):
    (one, i), (two, j) = sorted(same, key=lambda s: s != same[0])
    content = dict.fromkeys(same, "equal")
    with pytest.raises(SplitError) as caught:
        refuse_identical(split, digests(**content))
    said = str(caught.value)
    assert said.startswith(f"fold {fold} has the same image on two sides: ")
    for name, number in ((one, i), (two, j)):
        assert f"{name}-{number}.png (case '{name}', patient 'p{name}'" in said
    assert all(f"{side} side" in said for side in sides)


def test_repeats_on_one_side_and_images_without_a_digest_pass(split):
    refuse_identical(split, digests())
    refuse_identical(split, digests(a0="equal", a1="equal"))
    refuse_identical(Split(split.folds[:1], "nested"), digests(a0="equal", d0="equal"))
    known = digests(a0="equal", c0="equal")
    del known[Path("c-0.png")]
    refuse_identical(split, known)


def test_only_files_of_one_size_are_read(tmp_path):
    lines = ["case_id,patient_id,path,kind"]
    for i, content in enumerate((b"one", b"one", b"two", b"longer", None)):
        if content is not None:
            (tmp_path / f"{i}.png").write_bytes(content)
        lines.append(f"c{i},p{i},{i}.png,tile")
    lines.append("c5,p5,3.png,tile")
    (tmp_path / "cohort.csv").write_text("\n".join(lines))
    cohort = read_cohort(tmp_path / "cohort.csv", None)
    found = twin_digests(cohort)
    assert {path.name for path in found} == {"0.png", "1.png", "2.png", "3.png"}
    assert found[tmp_path / "0.png"] == found[tmp_path / "1.png"] != found[tmp_path / "2.png"]
    first, second, third, fourth, _, twin = cohort.cases
    refuse_identical(Split((Fold(0, (first, second), (), (third, fourth)),), "holdout"), found)
    for train, test in ((first, second), (fourth, twin)):
        with pytest.raises(SplitError, match="same image on two sides"):
            refuse_identical(Split((Fold(0, (train,), (), (test,)),), "holdout"), found)


def test_pictures_of_one_colour_are_alike_everywhere(split):
    refuse_identical(split, digests(a0="blank-ffffff-96x96", c1="blank-ffffff-96x96"))
