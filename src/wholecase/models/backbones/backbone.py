"""A trainable network at the front of a model: packed network input -> packed vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from wholecase.models.batch import Batch, Embedded
from wholecase.weights import find_file


class Backbone(nn.Module, ABC):
    """Every member is built as `Member(width, **options)`; width is the number of channels.

    A member that is made of other networks also asks for `build: Build`.
    """

    no_onnx: ClassVar[str] = ""
    """Why it cannot be exported to ONNX; empty where it can, or where nobody knows yet."""

    @property
    @abstractmethod
    def width(self) -> int:
        """D, numbers per vector."""

    @property
    def file(self) -> Path | None:
        """The weights that the network begins with; None where it begins at random."""
        return None

    def check_file(self) -> None:
        """Refuse a file that cannot be begun with.

        Raises:
            WeightsError: it is not there, or another network's.
        """
        if self.file is not None:
            find_file(self.file)

    def begin(self) -> None:
        """Take them in: once, before a model learns, and never where a trained one is asked."""

    @property
    def links(self) -> tuple[str, ...]:
        """Names of its parts that run one after the other, each on what the last gave.

        () where the network is no such row.
        """
        return ()

    def until(self, values: Tensor, link: str) -> Tensor:
        """What the network gives up to this link, which is one of `links`.

        Where `forward` then gets a batch `after` that link, it goes on from there.
        """
        raise NotImplementedError(f"{type(self).__name__} has no link {link!r}")

    @abstractmethod
    def forward(self, batch: Batch) -> Embedded:
        """Encode all instances of the batch, each on its own; values are what the input gives.

        Where an instance becomes several vectors, `starts` counts vectors, `origin` says which
        instance each came from, and `cell` where in it.
        """


Build = Callable[[object], Backbone]
"""Makes a network from what a recipe says of it, a name or `{name: ..., options}`."""
