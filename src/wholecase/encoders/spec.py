"""What a recipe says of the encoder: a value that travels to workers and is built there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.lookup import check_options
from wholecase.encoders.encoder import Encoder
from wholecase.encoders.field import FIELD
from wholecase.encoders.published import published_encoder
from wholecase.encoders.resnet50 import WIDTH
from wholecase.encoders.stored import STORED
from wholecase.encoders.table import ENCODERS
from wholecase.encoders.timm_encoder import check_model

WIDTHS: Mapping[str, int | None] = {"resnet50": WIDTH, STORED: None}
"""Of encoders that are not built to know it."""


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder by name; cheap to hold, dear to build."""

    name: str
    """A key of `ENCODERS` or `FIELD`, or a network of timm."""
    options: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"

    def build(self) -> Encoder:
        """The encoder, with its weights loaded and on its device.

        Raises:
            RecipeError: the name, an option or the device is unknown.
            WeightsError: the weights are missing or belong to another network.
        """
        factory: Callable[..., Encoder]
        given: dict[str, Any]
        if self.name == STORED:
            raise RecipeError(
                "the encoder 'stored' has no network: it stands for feature files, in a cohort "
                "whose rows are all of kind features"
            )
        if self.name in ENCODERS:
            factory, given = ENCODERS[self.name], {"device": self.device}
        elif self.name in FIELD:
            factory, given = published_encoder, {"device": self.device, "name": self.name}
        else:
            check_model(self.name, others=[*ENCODERS, *FIELD, STORED])
            factory, given = ENCODERS["timm"], {"device": self.device, "model": self.name}
        check_options(factory, self.options, f"the encoder {self.name}", given)
        return factory(**self.options, **given)

    def known_width(self) -> int | None:
        """Numbers per instance; None where only files or weights that are not here would tell.

        Raises:
            RecipeError: as for `build`.
        """
        if self.name in FIELD:
            return FIELD[self.name].width
        if self.name in WIDTHS:
            return WIDTHS[self.name]
        try:
            return self.build().width
        except WeightsError:
            return None

    def settings(self) -> dict[str, Any]:
        """What determines the vectors, for a store: identity and width. Builds the encoder."""
        encoder = self.build()
        return {"encoder": encoder.identity, "width": encoder.width}
