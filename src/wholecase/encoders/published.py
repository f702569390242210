"""An encoder of the field, from its entry in the table and a file of weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.core.lookup import look_up
from wholecase.encoders.encoder import EXACT, Encoder, Engine
from wholecase.encoders.entry import Published
from wholecase.encoders.field import FIELD

if TYPE_CHECKING:
    from torch import nn

TOLERATED = 0.10
"""Share by which the spacing that a network sees may differ from those it was trained at."""
FILES = ("model.safetensors", "pytorch_model.bin")
"""Under what the hub keeps weights."""


def published_encoder(  # noqa: PLR0913 (the options of a recipe)
    *,
    name: str,
    weights: str | None = None,
    download: bool = False,
    any_spacing: bool = False,  # noqa: ARG001 (of the recipe, not of the vectors: `check_spacing`)
    engine: Engine = EXACT,
    batch: int = 32,
    device: str = "cpu",
) -> Encoder:
    """A published pathology encoder.

    Args:
        name: a key of `FIELD`.
        weights: a local file, under the names that its authors published it with.
        download: fetch the published file where none is named.
        any_spacing: cut at another spacing than it was trained at all the same.
        engine: what computes it.
        batch: pictures at a time.
        device: where it computes.

    Raises:
        RecipeError: there is no such encoder, or it cannot be built faithfully.
        WeightsError: the weights are missing or belong to another network.
    """
    entry = look_up(FIELD, name, "encoder")
    if entry.refused:
        raise RecipeError(f"the encoder {name} is not supported: {entry.refused}")
    file = None if weights is None and download else weights or ""
    return build(entry, name, file, batch=batch, device=device, engine=engine)


def build(
    entry: Published,
    name: str,
    weights: str | None,
    *,
    batch: int,
    device: str,
    engine: Engine = EXACT,
) -> Encoder:
    """The entry as an encoder; `weights` None asks the hub.

    Raises:
        WeightsError: the weights are missing or belong to another network.
    """
    from wholecase.encoders.network import Look, fresh_randomness, network_encoder
    from wholecase.encoders.trained import downloaded, fill, find, identity_of, look_of

    path = str(downloaded(lambda: _fetched(entry, name), name)) if weights is None else weights
    file = find(name, path or None, download=False, also=entry.model)
    assert file is not None, "a file is named, or `find` has refused"  # noqa: S101
    with fresh_randomness():
        network = fill(network_of(entry), file)
    look = look_of(file.sidecar, Look(entry.side_px, *entry.norm))
    facts = {**entry.arguments, "model": entry.model, "pool": entry.pool}
    identity = identity_of(name, facts, look, file)
    encoder = network_encoder(
        _pooled(network, entry),
        look,
        identity=identity,
        batch=batch,
        device=device,
        engine=engine,
    )
    if encoder.width != entry.width:
        raise WeightsError(
            f"{name} gives {encoder.width} numbers here and should give {entry.width}"
        )
    return encoder


def network_of(entry: Published) -> "nn.Module":
    """The architecture, with weights drawn at random."""
    import timm

    from wholecase.encoders.layers import with_layers

    network: nn.Module = timm.create_model(
        entry.model, pretrained=False, num_classes=0, **with_layers(entry.arguments)
    )
    return network


def check_spacing(name: str, options: Mapping[str, Any], cut: Mapping[str, Any]) -> None:
    """Refuse a cut that shows the network another scale than it was trained at, unless insisted.

    Args:
        name: of the encoder; others than those of `FIELD` pass.
        options: the encoder's, of the recipe; `any_spacing` insists.
        cut: settings of the cut; one without `spacing_um` passes.

    Raises:
        RecipeError: the scale differs by more than a tenth.
    """
    entry = FIELD.get(name)
    spacing, side = cut.get("spacing_um"), cut.get("side_px")
    if entry is None or options.get("any_spacing") or not entry.spacing_um:
        return
    if not isinstance(spacing, int | float) or not isinstance(side, int):
        return
    seen = spacing * side / entry.side_px
    if any(abs(seen - trained) <= TOLERATED * trained + 1e-9 for trained in entry.spacing_um):
        return
    trained = " or ".join(f"{s:g}" for s in entry.spacing_um)
    raise RecipeError(
        f"{name} was trained at {trained} µm/px and would see {seen:.3g} ({side} px of "
        f"{spacing:g} µm/px, resized to {entry.side_px}); change cut.spacing_um or cut.side_px, or "
        "insist with encoder.any_spacing=true"
    )


def _fetched(entry: Published, name: str) -> Path:
    """The published file from the net."""
    if not entry.hub:
        raise WeightsError(
            f"{name} has no address to fetch its weights from; name a file under encoder.weights"
        )
    if entry.hub.startswith("https://"):
        return _from_address(entry.hub)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    for file in FILES:
        try:
            return Path(hf_hub_download(entry.hub, file))
        except EntryNotFoundError:
            continue
    raise WeightsError(f"{entry.hub} holds no {' and no '.join(FILES)}; fetch its file by hand")


def _from_address(address: str) -> Path:
    from torch import hub

    path = Path(hub.get_dir()) / "checkpoints" / address.rpartition("/")[2]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # renamed into place when it is whole
        hub.download_url_to_file(address, str(path), progress=False)
    return path


def _pooled(network: "nn.Module", entry: Published) -> "nn.Module":
    from wholecase.encoders.tokens import ClassAndMean, ClassToken

    if entry.pool == "cls":
        return ClassToken(network)
    return ClassAndMean(network) if entry.pool == "cls+mean" else network
