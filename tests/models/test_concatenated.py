"""Scales side by side: each is the mean of its own views, and zeros where there are none."""

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import Embedded
from wholecase.models.aggregators import Concatenated


def test_means_stand_at_the_place_of_their_scale() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    scale = torch.tensor([400.0, 40.0, 40.0, 400.0])
    pooled = Concatenated(2, scales=[40, 100, 400])(
        Embedded(values, torch.tensor([0, 3, 4]), scale)
    )
    assert pooled.embedding[:, 0].tolist() == [[4, 5, 0, 0, 1, 2], [0, 0, 0, 0, 7, 8]]
    assert pooled.weights[:, 0].tolist() == [0.5, 0.25, 0.25, 1.0], "scales weigh alike"


@pytest.mark.parametrize(
    ("scale", "told"), [(None, "have no scale"), (torch.tensor([20.0]), "has the scale 20, and")]
)
def test_what_has_no_place_is_refused(scale: torch.Tensor | None, told: str) -> None:
    bag = Embedded(torch.zeros(1, 2), torch.tensor([0, 1]), scale)
    with pytest.raises(RecipeError, match=told):
        Concatenated(2, scales=[40, 100])(bag)
