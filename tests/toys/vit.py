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
        self.block = nn.TransformerEncoderLayer(inner, 2, 2 * inner, 0.0, batch_first=True)

    @property
    def width(self) -> int:
        return self._inner

    def forward(self, batch: Batch) -> Embedded:
        maps = self.patch(batch.values)  # [T, inner, h, w]
        first = self.first.expand(len(maps), 1, -1)
        told = self.block(torch.cat([first, maps.flatten(2).transpose(1, 2)], 1))
        if not self._tokens:
            return Embedded(told[:, 0], batch.starts, batch.scale)
        return cells_of(told[:, 1:].transpose(1, 2).reshape(maps.shape), batch.starts, batch.scale)


NETWORKS = {"toy_vit": ToyVit}
vit = written("vit", positions.example, NETWORKS)
vit_tokens = written("vit", positions.example, NETWORKS, "model.backbone.tokens=true")
