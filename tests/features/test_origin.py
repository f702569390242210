"""What feature files must agree on, asked of every pair of things that they may tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from wholecase.core.errors import RunError
from wholecase.features import (
    FeatureOrigin,
    common_origin,
    doubt,
    mixture,
    refuse_other_origin,
)

ONE = FeatureOrigin("uni_v1", 64, 20.0, 0.5, 256.0, True, 8.0)
A, B = Path("a.h5"), Path("b.h5")

MIXED = [
    ({"encoder": "conch"}, "a.h5 has the encoder uni_v1, b.h5 has the encoder conch"),
    ({"encoder": None}, "a.h5 has the encoder uni_v1, b.h5 has no encoder's name"),
    ({"width": 65}, "a.h5 has 64 numbers per tile, b.h5 has 65 numbers per tile"),
    (
        {"magnification": 10.0, "spacing_um": 1.0},
        r"a.h5 has tiles at 20x \(0.5 µm/px\), b.h5 has tiles at 10x \(1 µm/px\)",
    ),
    ({"magnification": None, "spacing_um": 0.25}, "b.h5 has tiles at 0.25 µm/px"),
    ({"magnification": 10.0, "spacing_um": None}, "b.h5 has tiles at 10x;"),
    ({"spacing_um": 0.7}, r"b.h5 has tiles at 20x \(0.7 µm/px\)"),
    ({"magnification": 25.0, "spacing_um": 0.42}, r"b.h5 has tiles at 25x \(0.42 µm/px\)"),
    ({"patch_px": 224.0}, "a.h5 has tiles of 256 px, b.h5 has tiles of 224 px"),
]
ALIKE = [
    {},
    {"magnification": None},
    {"spacing_um": None},
    {"magnification": None, "spacing_um": None},
    {"patch_px": None},
    {"spacing_um": 0.46},  # another scanner of the same power
    {"magnification": 10.0, "spacing_um": 0.502},  # the manifest knows better
]


@pytest.mark.parametrize(("changes", "said"), MIXED)
def test_what_differs_is_named_with_both_values(changes, said):
    import re

    sentence = mixture([(A, ONE), (B, replace(ONE, **changes))])
    assert sentence is not None
    assert sentence.startswith("feature files are mixed: ")
    assert re.search(said, sentence), sentence


@pytest.mark.parametrize("changes", ALIKE)
def test_what_is_not_told_or_nearly_the_same_passes(changes):
    assert mixture([(A, ONE), (B, replace(ONE, **changes))]) is None
    assert mixture([(A, replace(ONE, **changes)), (B, ONE)]) is None
    refuse_other_origin(Path("run"), ONE, replace(ONE, **changes))


def test_files_that_tell_nothing_do_not_hide_those_that_differ():
    silent = FeatureOrigin("uni_v1", 64)
    other = replace(ONE, magnification=10.0, spacing_um=1.0)
    sentence = mixture([(Path("0.h5"), silent), (A, ONE), (Path("1.h5"), silent), (B, other)])
    assert sentence is not None
    assert "a.h5 has tiles at 20x" in sentence
    assert "b.h5 has tiles at 10x" in sentence


def test_a_common_name_goes_before_the_files_names_and_before_nothing_else():
    assert mixture([(A, ONE), (B, replace(ONE, encoder="UNI"))], identity="uni") is None
    for changes, _ in MIXED:
        if "encoder" not in changes:
            assert mixture([(A, ONE), (B, replace(ONE, **changes))], identity="uni")


@pytest.mark.parametrize(("changes", "said"), [one for one in MIXED if "encoder" not in one[0]])
def test_a_run_refuses_features_made_otherwise(changes, said):
    with pytest.raises(RunError, match="run was trained on features of ") as caught:
        refuse_other_origin(Path("run"), ONE, replace(ONE, **changes))
    assert said.rpartition(" has ")[2].rstrip(";").replace("\\", "") in str(caught.value)


def test_numbers_that_look_like_two_networks_are_doubted():
    never = replace(ONE, negative=False)
    for files in ([(A, ONE), (B, never)], [(B, never), (A, ONE)]):
        sentence = doubt(files)
        assert sentence is not None
        assert "look like two encoders: b.h5 holds no negative number and a.h5 does" in sentence
    longer = doubt([(A, ONE), (B, replace(ONE, length=40.0))])
    assert longer is not None
    assert "vectors of b.h5 are 5 times as long as those of a.h5" in longer
    assert doubt([(A, ONE), (B, replace(ONE, length=39.0))]) is None
    assert doubt([(A, never), (B, never)]) is None
    assert doubt([(A, FeatureOrigin("uni_v1", 64))]) is None


def test_together_the_first_that_tells_counts():
    silent = FeatureOrigin("uni_v1", 64, negative=False, length=4.0)
    assert common_origin([silent, ONE]) == replace(ONE, negative=None, length=6.0)
    assert common_origin([ONE, ONE]) == ONE
