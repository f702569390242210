"""A picture's name depends on its pixels alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wholecase.core.digest import BLANK
from wholecase.core.picture_digests import picture_digests


@given(arrays.arrays(np.uint8, (4, 3, 2, 3), elements=st.integers(0, 1)))
def test_equal_pixels_and_only_they_share_a_name(pictures):
    names = picture_digests(pictures)
    for one, name in zip(pictures, names, strict=True):
        assert name.startswith(BLANK) == (len(np.unique(one.reshape(-1, 3), axis=0)) == 1)
        for other, its in zip(pictures, names, strict=True):
            assert (name == its) == np.array_equal(one, other)


def test_sides_count():
    pixels = np.random.default_rng(1).integers(0, 256, (1, 4, 6, 3), dtype=np.uint8)
    turned = pixels.reshape(1, 6, 4, 3)
    assert picture_digests(pixels) != picture_digests(turned)
    assert picture_digests(turned * 0 + 255) == ["blank-ffffff-4x6"]
    assert picture_digests(pixels[:0]) == []
