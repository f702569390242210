"""Tissue as another slide, stain or objective would show it: bent, dyed, blurred, covered."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import PixelKind
from wholecase.models import Batch
from wholecase.training.augmentation import Augmentation, is_number

Pixels = Float[Tensor, "T C H W"]


@final
class Elastic(Augmentation):
    """Bent smoothly, all in one interpolation; what comes in from outside is mirrored.

    `{shift: most, cells: knots}`: each knot of a square grid is moved along rows and columns, each
    drawn evenly up to a share of the side; between knots the shift is interpolated (bicubic).
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        given = _given(setting, {"shift": 0.02, "cells": 5})
        cells = given["cells"]
        if not 0 <= given["shift"] <= 0.2 or cells != int(cells) or not 2 <= cells <= 64:
            raise RecipeError(
                "train.augment.elastic is {shift: 0 to 0.2 of the side, cells: 2 to 64}, "
                f"not {setting!r}"
            )
        self._shift, self._cells = given["shift"], int(cells)

    def __call__(self, batch: Batch) -> Batch:
        """A bend of its own for every instance."""
        pixels = batch.values
        knots = (2 * torch.rand(len(pixels), 2, self._cells, self._cells) - 1) * self._shift
        return replace(batch, values=bent(pixels, knots.to(pixels.device)))


def bent(pixels: Pixels, knots: Float[Tensor, "T 2 k k"]) -> Pixels:
    """Each pixel is read where the knots move it: x and y, in sides of the image."""
    height, width = pixels.shape[2:]
    moved = F.interpolate(knots, (height, width), mode="bicubic", align_corners=True)
    y, x = (
        (torch.arange(side, device=pixels.device) + 0.5) * (2 / side) - 1
        for side in (height, width)
    )
    there = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], 2)
    grid = there + 2 * moved.permute(0, 2, 3, 1)  # of a square from -1 to 1
    return F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)


@final
class Colour(Augmentation):
    """Other dyes: saturation by a factor and hue turned, at the same luminance.

    `{saturation: most, hue: most}`: the factor is drawn evenly between 1 - most and 1 + most, the
    hue between -most and +most of a full turn, both per instance. Brightness and contrast have
    settings of their own.
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:
        given = _given(setting, {"saturation": 0.0, "hue": 0.0})
        if not 0 <= given["saturation"] <= 1 or not 0 <= given["hue"] <= 0.5:
            raise RecipeError(
                "train.augment.colour is {saturation: 0 to 1, hue: 0 to 0.5 of a turn}, "
                f"not {setting!r}"
            )
        if kind.channels != 3 or kind.unit:
            raise RecipeError(
                f"train.augment.colour is for colours, and pixels of the kind {kind.name!r} have "
                "none; remove it"
            )
        self._saturation, self._hue = given["saturation"], given["hue"]

    def __call__(self, batch: Batch) -> Batch:
        """One matrix for every instance."""
        pixels = batch.values
        factor, turn = (2 * torch.rand(2, len(pixels)) - 1) * torch.tensor(
            [[self._saturation], [self._hue]]
        )
        return replace(batch, values=dyed(pixels, 1 + factor, 2 * math.pi * turn))


LUMA = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""From red, green and blue to luminance and two colours (YIQ)."""


def dyed(pixels: Pixels, factor: Float[Tensor, " T"], turn: Float[Tensor, " T"]) -> Pixels:
    """The two colours of each instance turned by an angle and stretched; luminance stays."""
    luma = torch.tensor(LUMA)
    cos, sin = factor * turn.cos(), factor * turn.sin()
    one, none = torch.ones_like(cos), torch.zeros_like(cos)
    rows = [one, none, none, none, cos, -sin, none, sin, cos]
    matrix = luma.inverse() @ torch.stack(rows, 1).view(-1, 3, 3) @ luma
    flat = pixels.flatten(2)
    return torch.bmm(matrix.to(flat), flat).view_as(pixels)


@final
class Blur(Augmentation):
    """Out of focus: a Gaussian whose deviation is drawn evenly from 0 to a bound, in pixels."""

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        if not is_number(setting) or not 0 <= setting <= 20:
            raise RecipeError(
                f"train.augment.blur is a number of pixels in [0, 20], not {setting!r}"
            )
        self._most = float(setting)

    def __call__(self, batch: Batch) -> Batch:
        """A deviation of its own for every instance."""
        pixels = batch.values
        deviation = torch.rand(len(pixels)) * self._most
        return replace(batch, values=blurred(pixels, deviation))


def blurred(pixels: Pixels, deviation: Float[Tensor, " T"]) -> Pixels:
    """Each by its own Gaussian, cut at three of the largest deviation; borders are repeated."""
    count, channels = pixels.shape[:2]
    reach = math.ceil(3 * float(deviation.max()))
    if reach == 0:
        return pixels
    along = torch.arange(-reach, reach + 1)
    kernel = (-0.5 * (along / deviation.clamp_min(1e-3)[:, None]) ** 2).exp()
    kernel = (kernel / kernel.sum(1, keepdim=True)).to(pixels)
    each = kernel.repeat_interleave(channels, 0)[:, None]  # [T * C, 1, k]
    padded = F.pad(pixels, (reach,) * 4, mode="replicate").flatten(0, 1)
    rows = F.conv2d(padded[None], each[:, :, None], groups=count * channels)
    return F.conv2d(rows, each[..., None], groups=count * channels).view_as(pixels)


@final
class Erasing(Augmentation):
    """A rectangle becomes the mean colour of its instance (Zhong 2020).

    `{chance: share, largest: share}`: how many instances have one, and the largest part of the area
    that it takes; area is drawn evenly from 2 % on, height over width from 0.3 to 3.3.
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        given = _given(setting, {"chance": 0.5, "largest": 0.2})
        if not 0 <= given["chance"] <= 1 or not LEAST <= given["largest"] <= 0.9:
            raise RecipeError(
                f"train.augment.erasing is {{chance: 0 to 1, largest: {LEAST} to 0.9}} of the "
                f"instances and of their area, not {setting!r}"
            )
        self._chance, self._largest = given["chance"], given["largest"]

    def __call__(self, batch: Batch) -> Batch:
        """A rectangle of its own for every instance that has one."""
        pixels = batch.values
        area, shape, left, top, chance = torch.rand(5, len(pixels))
        area = LEAST + (self._largest - LEAST) * area
        ratio = (math.log(0.3) + (math.log(3.3) - math.log(0.3)) * shape).exp()
        high, wide = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        boxes = torch.stack([left * (1 - wide), top * (1 - high), wide, high], 1)
        boxes = boxes * (chance < self._chance)[:, None]
        return replace(batch, values=erased(pixels, boxes.to(pixels.device)))


LEAST = 0.02
"""Smallest part of the area that is covered."""


def erased(pixels: Pixels, boxes: Float[Tensor, "T 4"]) -> Pixels:
    """Boxes (left, top, width, height) in sides; pixels whose middle is inside become the mean."""
    height, width = pixels.shape[2:]
    left, top, wide, high = boxes.T[:, :, None]
    x, y = (
        (torch.arange(side, device=pixels.device) + 0.5)[None] / side for side in (width, height)
    )
    rows, columns = _between(y, top, high), _between(x, left, wide)
    inside: Bool[Tensor, "T H W"] = rows[:, :, None] & columns[:, None]
    return torch.where(inside[:, None], pixels.mean((2, 3), keepdim=True), pixels)


def _between(places: Tensor, begin: Tensor, length: Tensor) -> Tensor:
    return (places >= begin) & (places < begin + length)


def _given(setting: object, defaults: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a setting, and defaults of what it does not say; -1 where it is none."""
    none = dict.fromkeys(defaults, -1.0)
    if not isinstance(setting, Mapping) or not set(setting) <= set(defaults):
        return none
    if not all(is_number(value) for value in setting.values()):
        return none
    return {**defaults, **{name: float(value) for name, value in setting.items()}}
