"""A vision transformer in small: patches become tokens, which attend to each other."""

from typing import final

import torch
from torch import nn

from toys.positions import positions
from toys.written import written
from wholecase.models import Backbone, Batch, Embedded
from wholecase.models.backbones import cells_of


@final
class ToyVit(Backbone):
    """One vector per image, or one per token with its cell."""

    def __init__(self, width: int, *, side: int, inner: int, tokens: bool) -> None:
        super().__init__()
        self._inner, self._tokens = inner, tokens
        self.patch = nn.Conv2d(width, inner, side, stride=side)
        self.first = nn.Parameter(torch.zeros(inner))
        self.mix = nn.Linear(inner, 3 * inner)
        self.last = nn.Sequential(nn.LayerNorm(inner), nn.Linear(inner, inner), nn.GELU())

    @property
    def width(self) -> int:
        return self._inner

    def forward(self, batch: Batch) -> Embedded:
        maps = self.patch(batch.values)  # [T, inner, h, w]
        first = self.first.expand(maps.shape[0], 1, -1)
        tokens = torch.cat([first, maps.flatten(2).transpose(1, 2)], 1)
        query, key, value = self.mix(tokens)[:, None].chunk(3, 3)  # one head
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)[:, 0]
        told = self.last(tokens + mixed)
        if not self._tokens:
            return Embedded(told[:, 0], batch.starts, batch.scale)
        return cells_of(told[:, 1:].transpose(1, 2).reshape(maps.shape), batch.starts, batch.scale)


NETWORKS = {"toy_vit": ToyVit}
vit = written("vit", positions.example, NETWORKS)
vit_tokens = written("vit", positions.example, NETWORKS, "model.backbone.tokens=true")
