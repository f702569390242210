"""Where within an image the attention lies, for networks that make several vectors of an image."""

from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models import Pooled


def position_map(pooled: Pooled) -> Float[Tensor, "T h w"]:
    """How much each position of each instance weighed, as maps; the mean over branches.

    Over the instances of a case the maps sum to 1.

    Raises:
        RecipeError: the model makes one vector of an instance, so there are no positions.
    """
    if pooled.origin is None or pooled.cell is None:
        raise RecipeError(
            "a map of positions needs a backbone that makes several vectors of an image, such as "
            "small_cnn; this model weighs whole instances"
        )
    rows, columns = pooled.cell.T
    count = int(pooled.origin.max()) + 1
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    weights = pooled.weights.detach().mean(1)
    place = (pooled.origin * height + rows) * width + columns
    maps = weights.new_zeros(count * height * width).index_add(0, place, weights)
    return maps.view(count, height, width)
