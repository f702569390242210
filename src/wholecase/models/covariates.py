"""What the manifest tells of a patient beside the images, as a linear term on a case's logits."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

NUMBER, CATEGORY = "number", "category"


@final
class Covariates(nn.Module):
    """Numbers standardised and categories one-hot, both by the patients who teach.

    Who has no value, or a category that none of them has, stands at their mean, and is marked by an
    indicator of its own for each column. The term begins at 0, and means, deviations and categories
    are buffers: they travel with the weights.

    Args:
        kinds: `number` or `category` of each column.
        logits: how many a case has.
        taught: [M, R] a row for each patient who teaches, nan where a value is missing, categories
            as codes; None where all of it comes from a file.
    """

    is_number: Tensor
    mean: Tensor
    spread: Tensor
    column: Tensor
    category: Tensor
    share: Tensor

    def __init__(
        self, kinds: Sequence[str], logits: int, taught: Float[Tensor, "M R"] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("is_number", torch.tensor([kind == NUMBER for kind in kinds]))
        taught = torch.full((0, len(kinds)), torch.nan) if taught is None else taught
        mean, spread = _moments(taught.double())
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        column, category, share = _categories(taught.double(), self.is_number)
        self.register_buffer("column", column)
        self.register_buffer("category", category)
        self.register_buffer("share", share)
        width = int(self.is_number.sum()) + len(category) + len(kinds)
        self.weight = nn.Parameter(torch.zeros(logits, width))
        self.register_load_state_dict_pre_hook(_fitted)  # type: ignore[no-untyped-call]

    def forward(self, values: Float[Tensor, "B R"]) -> Float[Tensor, "B L"]:
        """What to add to the logits."""
        values = values.double()
        own, known = self._known(values)
        standard = torch.where(known, (values - self.mean) / self.spread, 0.0)[:, self.is_number]
        hot = torch.where(known[:, self.column], own - self.share, 0.0)  # [B, K]
        seen = torch.cat([standard, hot, (~known).double()], 1)
        return nn.functional.linear(seen.to(self.weight.dtype), self.weight)

    def unseen(self, values: Float[Tensor, "B R"]) -> Bool[Tensor, "B R"]:
        """Which categories none of the patients had who taught."""
        _, known = self._known(values.double())
        return ~known & ~values.isnan() & ~self.is_number

    def _known(self, values: Float[Tensor, "B R"]) -> tuple[Tensor, Tensor]:
        """[B, K] whether a case has a category, and [B, R] whether its value says anything."""
        own = values[:, self.column].eq(self.category).double()
        found = torch.zeros_like(values).index_add(1, self.column, own)
        return own, torch.where(self.is_number, ~values.isnan(), found > 0)


def _moments(taught: Float[Tensor, "M R"]) -> tuple[Tensor, Tensor]:
    """Mean and deviation; what does not vary, or is never told, is as good as infinitely wide."""
    known = ~taught.isnan()
    count = known.sum(0)
    mean = taught.nan_to_num().sum(0) / count.clamp_min(1)
    away = torch.where(known, taught - mean, 0.0)
    spread = (away.square().sum(0) / count.clamp_min(1)).sqrt()
    return mean, torch.where(spread > 0, spread, torch.inf)


def _categories(
    taught: Float[Tensor, "M R"], is_number: Bool[Tensor, " R"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Column, code and share among those who tell, of each category that occurs."""
    columns, codes, shares = [], [], []
    for number in (~is_number).nonzero()[:, 0].tolist():
        told = taught[:, number][~taught[:, number].isnan()]
        own, counts = torch.unique(told, return_counts=True)
        columns.append(torch.full((len(own),), number))
        codes.append(own)
        shares.append(counts.double() / max(1, len(told)))
    if not columns:
        return torch.zeros(0, dtype=torch.long), taught.new_zeros(0), taught.new_zeros(0)
    return torch.cat(columns), torch.cat(codes), torch.cat(shares)


def _fitted(module: Covariates, state: Mapping[str, Any], prefix: str, *_: object) -> None:
    """How many categories there are the file says."""
    weight = state.get(f"{prefix}weight")
    if weight is not None and weight.shape != module.weight.shape:
        module.weight = nn.Parameter(torch.empty_like(weight, device=module.weight.device))
