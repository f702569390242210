import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wholecase.explain import least_instances, top_instances


@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), min_size=1), st.integers(0, 12))
def test_greatest_first_and_of_equals_the_earlier(weights, count):
    expected = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:count]
    assert top_instances(np.array(weights), count).tolist() == expected


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), min_size=1),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_least_first_and_never_one_of_the_greatest(weights, count, apart):
    order = sorted(range(len(weights)), key=lambda i: (-weights[i], i))
    expected = order[apart:][::-1][:count]
    told = least_instances(np.array(weights), count, apart=apart).tolist()
    assert told == expected
    assert not set(told) & set(top_instances(np.array(weights), apart).tolist())
