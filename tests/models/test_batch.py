"""A batch that cannot be is refused when it is made."""

import pytest
import torch

from wholecase.models import Batch


def batch(starts: list[int], cases: tuple[str, ...]) -> Batch:
    return Batch(torch.zeros(3, 2), torch.tensor(starts), cases, cases)


def test_an_empty_bag_is_named() -> None:
    with pytest.raises(ValueError, match="'b' has no instances"):
        batch([0, 3, 3], ("a", "b"))


def test_starts_must_cover_the_instances() -> None:
    with pytest.raises(ValueError, match="3 instances"):
        batch([0, 2], ("a",))


def test_every_bag_needs_a_case() -> None:
    with pytest.raises(ValueError, match="2 bags for 1 cases"):
        batch([0, 2, 3], ("a",))
