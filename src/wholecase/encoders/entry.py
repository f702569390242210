"""What has to be known of a published encoder to build it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wholecase.core.imagenet import IMAGENET_MEAN, IMAGENET_STD

Triple = tuple[float, float, float]
Pool = Literal["cls", "cls+mean", "own"]


@dataclass(frozen=True)
class Published:
    """One published encoder, without its weights."""

    title: str
    model: str
    """timm's name of the architecture."""
    width: int
    """Numbers per picture."""
    hub: str
    """A repository of the Hugging Face hub, or the address of the file; empty where neither is."""
    license: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What timm's constructor must be told besides; layers by name, see `LAYERS`."""
    pool: Pool = "cls"
    """Class token; class token and mean of the patches; or the network's own average."""
    spacing_um: tuple[float, ...] = (0.5,)
    """µm/px that it was trained at; empty where the authors tell none."""
    side_px: int = 224
    norm: tuple[Triple, Triple] = (IMAGENET_MEAN, IMAGENET_STD)
    """Mean and deviation per channel, of pixels from 0 to 1."""
    refused: str = ""
    """Why it cannot be built faithfully here; empty where it can."""

    @property
    def supported(self) -> bool:
        """Whether it can be built here."""
        return not self.refused
