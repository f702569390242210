"""Where work runs is decided once, and never with more processes than there is work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError
from wholecase.execution import Place


@given(st.sampled_from(["cpu", "cuda", "cuda:1", "mps"]), st.integers(0, 64), st.integers(0, 1000))
def test_a_crew_fits_the_work_and_the_device(device: str, workers: int, items: int) -> None:
    place = Place(device, workers)
    crew = place.crew(items)
    assert 0 <= crew <= min(workers, items)
    assert (crew == 0) == (device != "cpu" or items < 2 or workers == 0)


def test_places_are_values() -> None:
    assert Place() == Place("cpu", 1)
    assert not Place().accelerated
    assert Place("mps").accelerated


def test_a_place_that_cannot_be_is_refused() -> None:
    with pytest.raises(RecipeError, match="-1 workers cannot be; give 0 or more"):
        Place(workers=-1)
