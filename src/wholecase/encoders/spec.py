"""What a recipe says of the encoder: a value that travels to workers and is built there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.lookup import check_options, options_of
from wholecase.encoders.encoder import EXACT, Encoder
from wholecase.encoders.field import FIELD
from wholecase.encoders.known import ENCODERS
from wholecase.encoders.paired_encoder import members_of, paired
from wholecase.encoders.published import published_encoder
from wholecase.encoders.resnet50 import WIDTH
from wholecase.encoders.stored import STORED
from wholecase.encoders.timm_encoder import check_model

WIDTHS: Mapping[str, int | None] = {"resnet50": WIDTH, STORED: None}
"""Of encoders that are not built to know it."""


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder by name; cheap to hold, dear to build."""

    name: str
    """A key of `ENCODERS` or `FIELD`, or a network of timm."""
    options: Mapping[str, Any] = field(default_factory=dict)

    def build(self, device: str = "cpu") -> Encoder:
        """The encoder, with its weights loaded and on its device.

        Raises:
            RecipeError: the name, an option or the device is unknown.
            WeightsError: the weights are missing or belong to another network.
        """
        factory, given = self._factory(device)
        check_options(factory, self.options, f"the encoder {self.name}", given)
        return factory(**self.options, **given)

    def check(self, *, weights: bool = True) -> None:
        """Refuse what `build` would refuse, as far as can be told without loading anything.

        Args:
            weights: whether the file with the weights must be there.

        Raises:
            RecipeError: the name or an option is unknown, or cannot be.
            WeightsError: the weights are neither named nor to be fetched, or their file is missing.
        """
        if self.name == STORED:
            return
        factory, given = self._factory()
        check_options(factory, self.options, f"the encoder {self.name}", given)
        if self.options.get("batch", 1) < 1:
            raise RecipeError(
                f"encoder.batch is {self.options['batch']}; take at least one picture at a time"
            )
        if self.name in FIELD and (refused := FIELD[self.name].refused):
            raise RecipeError(f"the encoder {self.name} is not supported: {refused}")
        for name, options in members_of(self.options["members"]) if factory is paired else ():
            EncoderSpec(name, options).check(weights=weights)
        if weights and "weights" in options_of(factory):
            self._check_weights()

    def _check_weights(self) -> None:
        # they import torch
        from wholecase.encoders.trained import find
        from wholecase.weights import find_file

        if (named := self.options.get("weights")) is None:
            find(self.name, None, download=self.options.get("download", False))
        else:
            find_file(Path(named))

    def _factory(self, device: str = "cpu") -> tuple[Callable[..., Encoder], dict[str, Any]]:
        """What builds it, and what the house hands to that itself."""
        if self.name == STORED:
            raise RecipeError(
                "the encoder 'stored' has no network: it stands for feature files, in a cohort "
                "whose rows are all of kind features"
            )
        if self.name == "paired":
            return paired, {"build": lambda *of: EncoderSpec(*of).build(device)}
        if self.name in FIELD:
            return published_encoder, {"device": device, "name": self.name}
        if ENCODERS.knows(self.name):
            return ENCODERS[self.name], {"device": device}
        check_model(self.name, others=[*ENCODERS.names(), *FIELD, STORED])
        return ENCODERS["timm"], {"device": device, "model": self.name}

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

    def exact(self) -> "EncoderSpec":
        """The same, each network of it computed exactly: what another engine is held against."""
        options = {key: value for key, value in self.options.items() if key != "engine"}
        if self.name == "paired":
            members = [EncoderSpec(*of).exact() for of in members_of(self.options["members"])]
            options["members"] = [{"name": one.name, **one.options} for one in members]
        return EncoderSpec(self.name, options)

    @property
    def is_light(self) -> bool:
        """Whether it has no network, and is built at once."""
        if self.name == "paired":
            return all(EncoderSpec(*of).is_light for of in members_of(self.options["members"]))
        return self.name == "colour"

    @property
    def is_exact(self) -> bool:
        """Whether no network of it has another engine than the exact one."""
        if self.name == "paired":
            members = members_of(self.options["members"])
            return all(EncoderSpec(*of).is_exact for of in members)
        return bool(self.options.get("engine", EXACT) == EXACT)

    def settings(self) -> dict[str, Any]:
        """What determines the vectors, for a store: identity and width. Builds the encoder."""
        encoder = self.build()
        return {"encoder": encoder.identity, "width": encoder.width}
