"""One key says which ids are one, whoever typed them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.cohort import alike, by_likeness, identity_key, likeness_key

NAMES = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)), st.sampled_from("aA0.-\u2011 \u00a0\u0308")
    )
)


@given(NAMES)
def test_a_key_of_a_key_is_the_key(name):
    for key in (identity_key, likeness_key):
        assert key(key(name)) == key(name)


@given(NAMES, NAMES)
def test_what_is_the_same_is_alike(one, other):
    assert likeness_key(identity_key(one)) == likeness_key(one)
    if identity_key(one) == identity_key(other):
        assert likeness_key(one) == likeness_key(other)
    grouped = {name for group in alike([one, other]) for name in group}
    turned = {name for group in alike([other, one]) for name in group}
    assert grouped == turned
    assert bool(grouped) == (one != other and likeness_key(one) == likeness_key(other))
    assert (likeness_key(one) in by_likeness([other])) == (
        likeness_key(other) in by_likeness([one])
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P\u00e4t", "Pa\u0308t"),
        ("\uff30\uff11", "P1"),
        ("P\u20111", "P-1"),
        ("P\u20141", "P-1"),
        ("P\u22121", "P-1"),
        ("P\u00a01", "P 1"),
        ("P  1", "P 1"),
        (" P1\t", "P1"),
        ("P\u200b1", "P1"),
        ("\ufeffP1", "P1"),
    ],
)
def test_spellings_of_one_id(one, other):
    assert identity_key(one) == identity_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("101", "101.0"),
        ("007", "7"),
        ("P01-02", "p1-2"),
        ("STRASSE", "stra\u00dfe"),
        ("O'N", "O\u2019n"),
    ],
)
def test_ids_that_look_like_one(one, other):
    assert identity_key(one) != identity_key(other)
    assert likeness_key(one) == likeness_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "10"), ("1.5", "1.05"), ("a-1", "a1"), ("1-11", "11-1"), ("p", "q"), ("101.0", "1010")],
)
def test_ids_that_are_two(one, other):
    assert likeness_key(one) != likeness_key(other)
