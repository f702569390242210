"""Gated attention pooling: the bag decides which of its instances speak."""

from typing import final

from wholecase.models.aggregators.attention import Attention


@final
class GatedAttention(Attention):
    """Attention pooling with a tanh and a sigmoid branch (Ilse 2018, eq. 9; sizes of Lu 2021).

    Instances are embedded by Linear, ReLU and dropout; the embedding is split into `heads` parts,
    each with its own gate and its own softmax over the instances of a bag. The weight shown for an
    instance is the mean over heads.

    Args:
        width: numbers per instance.
        classes: how many, for `multi`.
        size: `small` embeds to 512 with a gate of 256, `big` to 512 with a gate of 384.
        heads: parts of the embedding that attend on their own; 1 is the published form.
        branches: `single` attention for the case (CLAM-SB), or `multi`, one per class (CLAM-MB).
        dropout: after the embedding and after both branches of the gate.
    """

    gated = True

    def __init__(
        self,
        width: int,
        classes: int = 2,
        *,
        size: str = "big",
        heads: int = 8,
        branches: str = "single",
        dropout: float = 0.25,
    ) -> None:
        super().__init__(width, classes, size=size, heads=heads, branches=branches, dropout=dropout)
