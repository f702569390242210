"""What an exported model computes: cases of equal size in, calibrated probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RunError
from wholecase.models.aggregators import CrossMagnification
from wholecase.models.backbones import PerMagnification
from wholecase.models.batch import Batch, Embedded, Pooled
from wholecase.models.case_model import CaseModel


@dataclass(frozen=True)
class Calibrated:
    """A trained model and the temperature that was set on its inner patients."""

    model: CaseModel
    temperature: float = 1.0


@final
class PatchGraph(nn.Module):
    """Pixels [N, C, H, W], each a case of its own -> the mean of the members' answers [N, classes].

    The side of the patches is fixed when it is exported, N is free.
    """

    def __init__(self, members: Sequence[Calibrated]) -> None:
        super().__init__()
        self.models = nn.ModuleList(member.model for member in members)
        self._temperatures = [member.temperature for member in members]
        self._names = _names()

    def forward(self, pixels: Tensor) -> Tensor:
        """Mean over members, single precision."""
        logits = [self._told(model, pixels, t) for model, t in self._each()]
        return torch.stack(logits).mean(0)

    def _each(self) -> list[tuple[CaseModel, float]]:
        models = [model for model in self.models if isinstance(model, CaseModel)]
        return list(zip(models, self._temperatures, strict=True))

    def _told(self, model: CaseModel, pixels: Tensor, temperature: float) -> Tensor:
        count = pixels.shape[0]
        batch = replace(self._names, values=pixels, starts=torch.arange(count + 1))
        vectors = model.embedded(batch).values
        bags = vectors.view(count, vectors.shape[0] // count, vectors.shape[1])

        # one bag at a time, and then all: so every aggregator's way for a single bag is taken
        def one(bag: Tensor) -> Tensor:
            return _judged(model, bag, self._names)[0]

        logits: Tensor = torch.vmap(one)(bags)
        return _calibrated(logits, temperature)


@final
class BagGraph(nn.Module):
    """One bag of stored features [N, D] -> probabilities [1, classes] and weights [N, branches]."""

    def __init__(self, members: Sequence[Calibrated]) -> None:
        super().__init__()
        self.models = nn.ModuleList(member.model for member in members)
        self._temperatures = [member.temperature for member in members]
        self._names = _names()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Means over members."""
        rows, weights = [], []
        for model, temperature in zip(self.models, self._temperatures, strict=True):
            assert isinstance(model, CaseModel), "the list holds nothing else"  # noqa: S101
            row, pooled = _judged(model, features, self._names)
            rows.append(_calibrated(row[None], temperature))
            weights.append(pooled.weights)
        return torch.stack(rows).mean(0), torch.stack(weights).mean(0)


@final
class ScaledGraph(nn.Module):
    """One case of views at several scales: pixels [N, C, H, W] or features [N, D], and scales [N].

    Probabilities [1, classes] and weights [N, branches]. What a case lacks is not given.
    """

    def __init__(self, members: Sequence[Calibrated]) -> None:
        super().__init__()
        self.models = nn.ModuleList(member.model for member in members)
        self._temperatures = [member.temperature for member in members]
        self._names = _names()

    def forward(self, values: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Means over members."""
        rows, weights = [], []
        starts = torch.arange(2) * values.shape[0]
        batch = replace(self._names, values=values, starts=starts, scale=scale)
        for model, temperature in zip(self.models, self._temperatures, strict=True):
            assert isinstance(model, CaseModel), "the list holds nothing else"  # noqa: S101
            vectors = model.embedded(batch).values
            row, pooled = _judged(model, vectors, self._names, scale)
            rows.append(_calibrated(row[None], temperature))
            weights.append(pooled.weights)
        return torch.stack(rows).mean(0), torch.stack(weights).mean(0)


def scales_of(model: CaseModel) -> list[float]:
    """The scales that a model tells apart; none where it does not look at them."""
    for part in model.modules():
        if isinstance(part, CrossMagnification | PerMagnification):
            known: list[float] = part.scales.tolist()
            return known
    return []


def check_exportable(members: Sequence[Calibrated], *, pixels: bool) -> None:
    """Nothing, if a graph of plain operations can say what these models say.

    Raises:
        RunError: a part of the model cannot be in such a graph.
    """
    for model in (member.model for member in members):
        if model.head.remembers:
            raise RunError(
                "a head that remembers its training cases cannot be exported to ONNX: its answer "
                "depends on who the patient is"
            )
        if model.covariates is not None or model.images is not None:
            raise RunError(
                "a model with covariates, or one that judges image by image, cannot be exported "
                "to ONNX: a graph takes the instances of a case and nothing else"
            )
        if (model.backbone is None) == pixels:
            what = "stored features" if pixels else "pixels"
            raise RunError(f"this model takes {what}; export it with an example of {what}")


def _judged(
    model: CaseModel, values: Tensor, names: Batch, scale: Tensor | None = None
) -> tuple[Tensor, Pooled]:
    """One bag's probabilities [classes], and how it was pooled; one vector has one scale."""
    starts = torch.arange(2) * values.shape[0]
    answer = model.decided(Embedded(values, starts, scale), names)
    row: Float[Tensor, " C"] = model.head.probabilities(answer)[0]
    return row, answer.pooled


def _calibrated(rows: Tensor, temperature: float) -> Tensor:
    """As `evaluation.apply_temperature`, in single precision."""
    if temperature == 1:
        return rows
    return (rows.clamp_min(torch.finfo(rows.dtype).tiny).log() / temperature).softmax(1)


def _names() -> Batch:
    """A batch of one case, for the names that an answer carries; the graph has its own numbers."""
    return Batch(torch.zeros(1, 1), torch.tensor([0, 1]), ("",), ("",))
