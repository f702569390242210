"""Heads that learn a target of their own beside the one that decides."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Answer, Batch, Pooled
from wholecase.models.heads import Head


@final
class FurtherHeads(nn.Module):
    """Each is a module by the name of its target, so that stages can name it: `also.tumour_type`.

    To each its own target is `label`, so that no head knows of another.

    Args:
        heads: by target, with the weight of the loss.
    """

    def __init__(self, heads: Mapping[str, tuple[Head, float]]) -> None:
        super().__init__()
        self._weights = {name: weight for name, (_, weight) in heads.items()}
        for name, (head, _) in heads.items():
            if hasattr(self, name):
                raise RecipeError(
                    f"a further target cannot be called {name!r}; choose another name"
                )
            self.add_module(name, head)

    def __len__(self) -> int:
        return len(self._weights)

    def named(self) -> Iterator[tuple[str, Head]]:
        """Target and head."""
        for name, head in self.named_children():
            assert isinstance(head, Head), "no other are added"  # noqa: S101
            yield name, head

    def loss(self, answers: Mapping[str, Answer], batch: Batch) -> Float[Tensor, ""]:
        """The weighted sum over heads, of each the mean over cases: an unlabelled one costs 0."""
        parts = [
            self._weights[name] * _known_loss(head, answers[name], batch, batch.targets[name])
            for name, head in self.named()
        ]
        return torch.stack(parts).sum()

    def penalty(self) -> Tensor | float:
        """The weighted sum over heads."""
        return sum(self._weights[name] * head.penalty() for name, head in self.named())


def _known_loss(
    head: Head, answer: Answer, batch: Batch, target: Float[Tensor, "B C"]
) -> Float[Tensor, ""]:
    known = ~target.isnan().any(1)
    if not bool(known.any()):
        return answer.logits.new_zeros(())
    if not bool(known.all()):
        answer, batch, target = _answer_of(answer, known), _batch_of(batch, known), target[known]
    own = {"label": target}
    share = known.float().mean()
    return share * head.loss(replace(answer, targets=own), replace(batch, targets=own))


def _batch_of(batch: Batch, kept: Bool[Tensor, " B"]) -> Batch:
    """These cases alone."""
    rows = kept.repeat_interleave(batch.starts.diff())
    return Batch(
        values=batch.values[rows],
        starts=_starts(batch.starts, kept),
        cases=_of(batch.cases, kept),
        patients=_of(batch.patients, kept),
        scale=None if batch.scale is None else batch.scale[rows],
        position=None if batch.position is None else batch.position[rows],
        covariates=None if batch.covariates is None else batch.covariates[kept],
    )


def _answer_of(answer: Answer, kept: Bool[Tensor, " B"]) -> Answer:
    """What was said of these cases; `origin` and `cell` are for pictures and left out."""
    pooled = answer.pooled
    rows = kept.repeat_interleave(pooled.starts.diff())
    embedding = pooled.embedding
    part = Pooled(
        embedding=embedding[kept],
        weights=pooled.weights[rows],
        scores=pooled.scores[rows],
        instances=pooled.instances[rows],
        starts=_starts(pooled.starts, kept),
    )
    each = answer.instance_logits
    return Answer(
        pooled=part,
        logits=answer.logits[kept],
        cases=_of(answer.cases, kept),
        patients=_of(answer.patients, kept),
        instance_logits=None if each is None else each[rows],
    )


def _starts(starts: Tensor, kept: Bool[Tensor, " B"]) -> Tensor:
    lengths = starts.diff()[kept]
    return torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])


def _of(names: tuple[str, ...], kept: Bool[Tensor, " B"]) -> tuple[str, ...]:
    return tuple(name for name, keep in zip(names, kept.tolist(), strict=True) if keep)
