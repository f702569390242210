"""ResNet-50 up to its third stage: what attention models on slides have long stood on."""

from typing import TYPE_CHECKING

from wholecase.core.imagenet import IMAGENET_MEAN, IMAGENET_STD
from wholecase.encoders.encoder import EXACT, Encoder, Engine

if TYPE_CHECKING:
    from torch import nn

NAME = "resnet50"
WIDTH = 1024
"""Numbers per picture."""


def resnet50(
    *,
    weights: str | None = None,
    download: bool = False,
    engine: Engine = EXACT,
    batch: int = 32,
    device: str = "cpu",
) -> Encoder:
    """1024 numbers per picture of 224 px: the third stage, averaged over the picture (He 2016).

    Args:
        weights: a local file with the names of torchvision or timm; a sidecar beside it may give
            another normalisation.
        download: fetch torchvision's ImageNet weights where no file is named.
        engine: what computes it.
        batch: pictures at a time.
        device: where it computes.
    """
    from wholecase.encoders.network import Look, fresh_randomness, network_encoder
    from wholecase.encoders.trained import downloaded, fill, find, identity_of, look_of

    file = find(NAME, weights, download=download)
    look = look_of(file.sidecar if file else None, Look(224, IMAGENET_MEAN, IMAGENET_STD))
    with fresh_randomness():
        model = downloaded(_published, NAME) if file is None else fill(_cut(None), file)
    identity = identity_of("resnet50-stage3", {}, look, file or model)
    return network_encoder(
        model, look, identity=identity, batch=batch, device=device, engine=engine
    )


def _published() -> "nn.Module":
    from torchvision.models import ResNet50_Weights

    # the first edition: the one that published results on slides were made with
    return _cut(ResNet50_Weights.IMAGENET1K_V1)


def _cut(weights: object) -> "nn.Module":
    from torch import nn
    from torchvision import models

    model: nn.Module = models.resnet50(weights=weights)
    # the names of the rest stay as the weight files have them
    model.layer4 = nn.Identity()
    model.fc = nn.Identity()
    return model
