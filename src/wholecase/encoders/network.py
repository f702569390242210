"""A torch network as an encoder: resized, normalised, in bounded batches, without gradients."""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.encoders.encoder import EXACT, Encoder, Engine
from wholecase.encoders.engines import Compute, check_engine, compute_of, engine_identity
from wholecase.encoders.graph_files import write_graph
from wholecase.encoders.widening import widen_in_parts

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """How a network wants its pictures."""

    side_px: int
    mean: Triple
    """Subtracted from pixels of 0 to 1."""
    std: Triple
    """Divides them afterwards."""

    def prepare(self, pixels: UInt8[Tensor, "N H W 3"]) -> Float[Tensor, "N 3 S S"]:
        """Pictures as the network was trained on them."""
        x = _of_side(pixels, self.side_px)
        mean, std = (x.new_tensor(v).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


def resized(pixels: UInt8[np.ndarray, "N H W 3"], side_px: int) -> Float32[np.ndarray, "N 3 S S"]:
    """Pictures of 0 to 1, as the graph of an encoder takes them."""
    return _of_side(torch.from_numpy(pixels.copy()), side_px).contiguous().numpy()


def _of_side(pixels: UInt8[Tensor, "N H W 3"], side_px: int) -> Float[Tensor, "N 3 S S"]:
    x = pixels.permute(0, 3, 1, 2).float().div_(255)  # [N, 3, H, W]
    if tuple(x.shape[2:]) == (side_px, side_px):
        return x
    size = (side_px, side_px)
    return F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)


def network_encoder(
    model: nn.Module,
    look: Look,
    *,
    identity: str,
    batch: int,
    device: str,
    engine: Engine = EXACT,
) -> Encoder:
    """The network, frozen on the device, as an encoder that takes `batch` pictures at a time.

    Another engine than the exact one is part of the identity.

    Raises:
        RecipeError: the device is not to be had here or lacks the engine, or the batch is none.
    """
    place = available(device)
    check_engine(engine, place)
    if batch < 1:
        raise RecipeError(f"encoder.batch is {batch}; take at least one picture at a time")
    model = model.to(place, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    model.requires_grad_(requires_grad=False)
    if place.type == "cpu":
        widen_in_parts(model)

    # where pictures come: an engine may take seconds, and who only asks for the width has none
    @functools.cache
    def compute() -> Compute:
        return compute_of(engine, model, look.side_px, place)

    def encode(pixels: UInt8[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "N D"]:
        parts = [
            _forward(compute(), look, pixels[i : i + batch], place) for i in _steps(pixels, batch)
        ]
        return np.concatenate(parts)

    # the network itself says how wide it is
    blank = np.zeros((1, look.side_px, look.side_px, 3), np.uint8)
    width = _forward(model, look, blank, place).shape[1]

    def graph(path: Path) -> None:
        write_graph(nn.Sequential(_Normalised(look), model), look.side_px, path)

    return Encoder(engine_identity(identity, engine), width, look.side_px, encode, graph=graph)


class _Normalised(nn.Module):
    """The last of what a look does, where a graph begins with it."""

    mean: Tensor
    std: Tensor

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(look.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(look.std).view(1, 3, 1, 1))

    def forward(self, pictures: Float[Tensor, "N 3 S S"]) -> Float[Tensor, "N 3 S S"]:
        return (pictures - self.mean) / self.std


def available(device: str) -> torch.device:
    """The device of that name.

    Raises:
        RecipeError: torch knows none of that name, or it is not on this machine.
    """
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise RecipeError(f"no device is called {device!r}; name cpu, cuda or mps") from error
    missing = {"cuda": not torch.cuda.is_available(), "mps": not torch.backends.mps.is_available()}
    if missing.get(place.type, False):
        raise RecipeError(f"this machine, or its torch, has no {device}; use device cpu")
    return place


@contextlib.contextmanager
def fresh_randomness() -> Iterator[None]:
    """Let a network draw its first weights, which are overwritten, from nobody's generator."""
    with torch.random.fork_rng(devices=[]):
        yield


def _steps(pixels: np.ndarray, batch: int) -> range:
    return range(0, max(len(pixels), 1), batch)


def _forward(
    compute: Compute, look: Look, pixels: UInt8[np.ndarray, "N H W 3"], device: torch.device
) -> Float32[np.ndarray, "N D"]:
    with torch.no_grad():
        # a copy, since views may be reversed or read-only
        x = look.prepare(torch.from_numpy(pixels.copy()).to(device))
        encoded: np.ndarray = compute(x).float().cpu().numpy()
    return encoded
