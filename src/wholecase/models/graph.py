"""What an exported model computes: cases of equal size in, calibrated probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RunError
from wholecase.models.aggregators import Concatenated, CrossMagnification
from wholecase.models.backbones import PerMagnification
from wholecase.models.batch import Answer, Batch, Embedded
from wholecase.models.case_model import CaseModel
from wholecase.models.heads.nearest_cases import vote
from wholecase.models.poolings import Pooling


@dataclass(frozen=True)
class Calibrated:
    """A trained model and the temperature that was set on its inner patients."""

    model: CaseModel
    temperature: float = 1.0
    shift: tuple[float, ...] = ()
    """What was added to the logarithm of each class, likewise."""

    def said(self, rows: Tensor) -> Tensor:
        """As `evaluation.apply_temperature`, in single precision."""
        if self.temperature == 1 and not self.shift:
            return rows
        logs = rows.clamp_min(torch.finfo(rows.dtype).tiny).log() / self.temperature
        return (logs + torch.tensor(self.shift) if self.shift else logs).softmax(1)


class _Members(nn.Module):
    """The models that are asked, as parts of the graph."""

    def __init__(self, members: Sequence[Calibrated]) -> None:
        super().__init__()
        self.models = nn.ModuleList(member.model for member in members)
        self._members = tuple(members)
        self._names = _names()


@final
class PatchGraph(_Members):
    """Pixels [N, C, H, W], each a case of its own -> the mean of the members' answers [N, classes].

    The side of the patches is fixed when it is exported, N is free.
    """

    def forward(self, pixels: Tensor) -> Tensor:
        """Mean over members, single precision."""
        rows = [self._told(member, pixels) for member in self._members]
        return torch.stack(rows).mean(0)

    def _told(self, member: Calibrated, pixels: Tensor) -> Tensor:
        model = member.model
        count = pixels.shape[0]
        batch = replace(self._names, values=pixels, starts=torch.arange(count + 1))
        vectors = model.embedded(batch).values
        bags = vectors.view(count, vectors.shape[0] // count, vectors.shape[1])

        # one bag at a time, and then all: so every aggregator's way for a single bag is taken
        def one(bag: Tensor) -> Tensor:
            return _judged(model, bag, self._names)[0]

        rows: Tensor = torch.vmap(one)(bags)
        return member.said(rows)


@final
class SeriesGraph(_Members):
    """Slices [T, C, H, W] of one patient -> the mean of the members' answers.

    Probabilities of the patient [1, classes], of each slice alone [T, classes], and how much each
    slice had to do with the patient's [T]. The side of the slices is fixed, T is free.
    """

    def __init__(self, members: Sequence[Calibrated], example: Tensor) -> None:
        super().__init__(members)
        self._vectors = [_vectors_each(member.model, example) for member in members]

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means over members, single precision."""
        each = zip(self._members, self._vectors, strict=True)
        told = [self._told(member, vectors, slices) for member, vectors in each]
        patient, alone, weights = (torch.stack(one).mean(0) for one in zip(*told, strict=True))
        return patient, alone, weights

    def _told(
        self, member: Calibrated, vectors: int, slices: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        model = member.model
        count = slices.shape[0]
        batch = replace(self._names, values=slices, starts=torch.arange(2) * count)
        patient, answer = _judged(model, model.embedded(batch).values, self._names)
        each = answer.instance_logits
        assert each is not None, "each slice is decided"  # noqa: S101
        if vectors > 1:  # those of a slice are pooled as those of a patient are, logit by logit
            width = each.shape[1]
            columns = each.view(-1, vectors, width).transpose(0, 1).reshape(vectors, -1)
            each = model.pool(columns, torch.tensor([0, vectors])).logits.view(-1, width)
        alone = model.head.probabilities(replace(answer, logits=each))
        weights = answer.pooled.weights.mean(1).view(-1, vectors).sum(1)
        return member.said(patient[None]), member.said(alone), weights


@final
class BagGraph(_Members):
    """One bag of stored features [N, D] -> probabilities [1, classes] and weights [N, branches]."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Means over members."""
        rows, weights = [], []
        for member in self._members:
            row, answer = _judged(member.model, features, self._names)
            rows.append(member.said(row[None]))
            weights.append(answer.pooled.weights)
        return torch.stack(rows).mean(0), torch.stack(weights).mean(0)


@final
class MemoryGraph(_Members):
    """One case, pixels [N, C, H, W] or features [N, D], and its patient's code [1].

    Probabilities [1, classes], weights [N, branches], and of each of F members the remembered cases
    that are nearest, as codes [F, k] with their distances [F, k]; k is the smallest number of
    neighbours that vote. Those of the same patient are passed over.
    """

    def forward(self, values: Tensor, patient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Means over members; the neighbours of each."""
        rows, weights, near = [], [], []
        batch = replace(self._names, values=values, starts=torch.arange(2) * values.shape[0])
        for member in self._members:
            model = member.model
            vectors = model.embedded(batch).values
            embedded = Embedded(vectors, torch.arange(2) * vectors.shape[0])
            answer = model.decided(embedded, self._names)
            found = model.head.nearest(answer.logits, patient)
            assert found is not None, "its head remembers"  # noqa: S101
            rows.append(member.said(vote(found)))
            weights.append(answer.pooled.weights)
            near.append(found)
        shown = min(found.case.shape[1] for found in near)
        cases, distances = (
            torch.cat([getattr(found, what)[:, :shown] for found in near])
            for what in ("case", "distance")
        )
        return torch.stack(rows).mean(0), torch.stack(weights).mean(0), cases, distances


def decides_each(members: Sequence[Calibrated]) -> bool:
    """Whether slices are decided one by one and then pooled, by a network that sees pixels.

    Not where scales are told apart: then an answer is about the views of a case.
    """
    models = [member.model for member in members]
    each = all(m.backbone is not None and isinstance(m.pool, Pooling) for m in models)
    return each and not any(map(scales_of, models))


@final
class ScaledGraph(_Members):
    """One case of views at several scales: pixels [N, C, H, W] or features [N, D], and scales [N].

    Probabilities [1, classes] and weights [N, branches]. What a case lacks is not given.
    """

    def forward(self, values: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Means over members."""
        rows, weights = [], []
        starts = torch.arange(2) * values.shape[0]
        batch = replace(self._names, values=values, starts=starts, scale=scale)
        for member in self._members:
            model = member.model
            vectors = model.embedded(batch).values
            row, answer = _judged(model, vectors, self._names, scale)
            rows.append(member.said(row[None]))
            weights.append(answer.pooled.weights)
        return torch.stack(rows).mean(0), torch.stack(weights).mean(0)


def scales_of(model: CaseModel) -> list[float]:
    """The scales that a model tells apart; none where it does not look at them."""
    for part in model.modules():
        if isinstance(part, Concatenated | CrossMagnification | PerMagnification):
            known: list[float] = part.scales.tolist()
            return known
    return []


def check_exportable(members: Sequence[Calibrated], *, pixels: bool) -> None:
    """Nothing, if a graph of plain operations can say what these models say.

    Raises:
        RunError: a part of the model cannot be in such a graph.
    """
    for model in (member.model for member in members):
        for own in (model.backbone, model.pool, model.head):
            if why := "" if own is None else own.no_onnx:
                raise RunError(
                    f"{type(own).__name__} cannot be exported to ONNX: {why}; all else of the run "
                    "works without it"
                )
        if model.head.remembers and scales_of(model):
            raise RunError(
                "a model that remembers its training cases and tells scales apart cannot be "
                "exported to ONNX: a graph takes either a scale or a patient beside a case"
            )
        if model.covariates is not None or model.images is not None:
            raise RunError(
                "a model with covariates, or one that judges image by image, cannot be exported "
                "to ONNX: a graph takes the instances of a case and nothing else"
            )
        if model.sequence is not None or model.smoothing is not None:
            part = "model.sequence" if model.smoothing is None else "model.smoothing"
            raise RunError(
                f"a model with {part} cannot be exported to ONNX: a graph takes slices, knows no "
                "distances between them and runs through no series"
            )
        if (model.backbone is None) == pixels:
            what = "stored features" if pixels else "pixels"
            raise RunError(f"this model takes {what}; export it with an example of {what}")


def _judged(
    model: CaseModel, values: Tensor, names: Batch, scale: Tensor | None = None
) -> tuple[Tensor, Answer]:
    """One bag's probabilities [classes], and the answer behind them; one vector has one scale."""
    starts = torch.arange(2) * values.shape[0]
    answer = model.decided(Embedded(values, starts, scale), names)
    row: Float[Tensor, " C"] = model.head.probabilities(answer)[0]
    return row, answer


def _vectors_each(model: CaseModel, example: Tensor) -> int:
    """How many vectors a network makes of a slice."""
    batch = replace(_names(), values=example, starts=torch.tensor([0, len(example)]))
    with torch.no_grad():
        return len(model.embedded(batch).values) // len(example)


def _names() -> Batch:
    """A batch of one case, for the names that an answer carries; the graph has its own numbers."""
    return Batch(torch.zeros(1, 1), torch.tensor([0, 1]), ("",), ("",))
