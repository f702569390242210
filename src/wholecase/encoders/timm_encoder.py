"""Any network of timm, without its classifier."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.lookup import nearest
from wholecase.encoders.encoder import EXACT, Encoder, Engine

if TYPE_CHECKING:
    from torch import nn

    from wholecase.encoders.network import Look


def timm_encoder(  # noqa: PLR0913 (the options of a recipe)
    *,
    model: str,
    weights: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    side_px: int | None = None,
    download: bool = False,
    engine: Engine = EXACT,
    batch: int = 32,
    device: str = "cpu",
) -> Encoder:
    """The pooled features of a timm network.

    Args:
        model: timm's name of it.
        weights: a local file, or `package:NAME` of an installed package that brings one; a sidecar
            beside it gives arguments, normalisation and size, else those count that timm notes for
            the network.
        arguments: what `timm.create_model` must be told besides, the layer swiglu_packed by
            name; goes before the sidecar's.
        side_px: to which pictures are resized, instead of what the sidecar or timm notes; a vision
            transformer then needs the argument `dynamic_img_size: true`, which interpolates its
            position embeddings.
        download: fetch the weights that timm knows where no file is named.
        engine: what computes it.
        batch: pictures at a time.
        device: where it computes.

    Raises:
        RecipeError: timm has no such network, or it does not take the arguments.
        WeightsError: the weights are missing or belong to another network.
    """
    check_model(model)
    from wholecase.encoders.network import fresh_randomness, network_encoder
    from wholecase.encoders.trained import downloaded, fill, find, identity_of, look_of

    file = find(model, weights, download=download)
    sidecar = file.sidecar if file else None
    given = {**(sidecar.arguments if sidecar else {}), **(arguments or {})}
    with fresh_randomness():
        if file is None:
            network = downloaded(lambda: _created(model, given, pretrained=True), model)
        else:
            network = fill(_created(model, given, pretrained=False), file)
    look = look_of(sidecar, _noted(network))
    look = look if side_px is None else replace(look, side_px=side_px)
    identity = identity_of(model, given, look, file or network)
    encoder = network_encoder(
        network, look, identity=identity, batch=batch, device=device, engine=engine
    )
    if sidecar and sidecar.width not in {None, encoder.width}:
        raise WeightsError(
            f"{weights} should give {sidecar.width} numbers per picture by its sidecar and gives "
            f"{encoder.width}; correct the width or the arguments there"
        )
    return encoder


def check_model(name: str, others: Iterable[str] = ()) -> None:
    """Refuse a name that timm does not know, with what was meant: a model, or one of the others."""
    import timm

    if not timm.is_model(name):
        # where nothing is close, a thousand names are no help
        close = difflib.get_close_matches(name, [*others, *timm.list_models()], n=1)
        told = nearest(name, close or others)
        end = "" if close else "; or install the package that has it"
        raise RecipeError(f"timm has no network called {name!r}{told}{end}")


def _created(model: str, given: Mapping[str, Any], *, pretrained: bool) -> "nn.Module":
    import timm

    from wholecase.encoders.layers import with_layers

    made = with_layers(given)
    try:
        created: nn.Module = timm.create_model(model, pretrained=pretrained, num_classes=0, **made)
    except TypeError as error:
        raise RecipeError(
            f"timm's {model} does not take the arguments {dict(given)}: {error}; correct them in "
            "the recipe or in the sidecar of the weights"
        ) from error
    return created


def _noted(network: "nn.Module") -> "Look":
    from timm.data.config import resolve_data_config

    from wholecase.encoders.network import Look

    noted = resolve_data_config(model=network)  # type: ignore[no-untyped-call]
    return Look(noted["input_size"][-1], tuple(noted["mean"]), tuple(noted["std"]))
