"""The model of every recipe: backbone? + (aggregator then head | head then pooling) + images?."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.aggregators import Aggregator
from wholecase.models.along import Recurrent, Smoothing, series_bounds
from wholecase.models.backbones import MAPS, WHOLE, Backbone, kept, mapped, of_grid
from wholecase.models.batch import Answer, Batch, Embedded, Pooled
from wholecase.models.deciders import is_each_alone, learns, through_few
from wholecase.models.dropout import Rows
from wholecase.models.further import FurtherHeads
from wholecase.models.heads import Head
from wholecase.models.inputs import LIGHT, Input
from wholecase.models.poolings import Pooling
from wholecase.models.precision import in_full, raised, raised_pooled
from wholecase.models.segments import segment_sum
from wholecase.models.several_images import image_bounds, joined
from wholecase.models.standard import Standard


@final
class CaseModel(nn.Module):
    """One answer per case.

    Args:
        pool: an `Aggregator` (aggregate, then decide) or a `Pooling` (decide each, then pool).
        head: decides.
        backbone: encodes pixels; None where the bags hold stored features.
        input: how pixels become what the backbone gets.
        images: pools the logits of a case's images, each judged on its own; None makes all images
            of a case one bag. Either way a case has one answer and one loss.
        covariates: what is known of a case beside its images -> a term on its logits.
        also: further heads by the target that they learn, each with the weight of its loss. They
            see the same bags, and `head` alone decides.
        sequence: adds to each vector what those before and after it in its image tell.
        smoothing: averages the logits of instances along their image, before they are pooled.
    """

    def __init__(  # noqa: PLR0913 (the parts of a model)
        self,
        *,
        pool: Aggregator | Pooling,
        head: Head,
        backbone: Backbone | None = None,
        input: Input = LIGHT,  # noqa: A002 (the recipe's word)
        images: Pooling | None = None,
        covariates: nn.Module | None = None,
        also: Mapping[str, tuple[Head, float]] | None = None,
        sequence: Recurrent | None = None,
        smoothing: Smoothing | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.input = input
        self.pool = pool
        self.head = head
        self.images = images
        self.covariates = covariates
        self.also = FurtherHeads(also or {})
        self.standard = Standard(input.channels) if input.is_standardised else None
        self.sequence = sequence
        self.smoothing = smoothing

    def begin(self, taught: Iterable[Batch] = ()) -> None:
        """Take in what learning begins with; before it, and only then.

        Args:
            taught: each case that will learn, once; looked at where the input is standardised by
                them.
        """
        for network in self.networks():
            network.begin()
        if self.standard is not None:
            self.standard.learn(
                self.input(batch.values, series_bounds(batch.images, batch.starts))
                for batch in taught
            )

    def turn(self, epoch: int) -> None:
        """An epoch of learning begins: poolings may sharpen, heads compare harder."""
        for rule in self.modules():
            if isinstance(rule, Pooling | Head):
                rule.turn(epoch)

    def networks(self) -> Iterator[Backbone]:
        """The backbone, and those that it is made of."""
        return (part for part in self.modules() if isinstance(part, Backbone))

    def forward(self, batch: Batch) -> Answer:
        """Answer for each case of the batch.

        Where few instances decide, and a network is learnt that sees each of them alone, the others
        are passed over: the same gradient, and what is kept for it does not grow with their number.
        """
        network = self.backbone
        few = isinstance(self.pool, Pooling) and self.pool.few and self.sequence is None
        if network is None or not (few and learns(network) and is_each_alone(network)):
            return self.decided(self.embedded(batch), batch)
        return self.decided(self._learning_from_few(batch), batch)

    def _learning_from_few(self, batch: Batch) -> Embedded:
        """All are encoded without a graph; then those that decide go through the network again."""
        made = list[Embedded]()

        def run(_: Tensor, rows: Rows | None) -> tuple[Tensor, ...]:
            seen = self.seen(batch)  # anew: nothing of it is kept
            made.append(self._encoded(seen if rows is None else seen.apart(rows.chosen)))
            return (made[-1].values,)

        assert self.backbone is not None, "stored features pass nothing"  # noqa: S101
        learnt = self.backbone.parameters()
        (values,) = through_few(run, batch.values, learnt, origin=lambda: made[0].origin)
        return replace(made.pop(), values=values)

    def embedded(self, batch: Batch) -> Embedded:
        """The vectors of a batch: stored ones as they are, pixels through input and backbone."""
        if self.backbone is None:
            return Embedded.of(batch)
        return self._encoded(self.seen(batch))

    def seen(self, batch: Batch) -> Batch:
        """The batch as the backbone gets it."""
        if batch.after:
            return batch
        values = self.input(batch.values, series_bounds(batch.images, batch.starts))
        return replace(batch, values=values if self.standard is None else self.standard(values))

    def passed(self, batch: Batch, part: str) -> Batch:
        """The batch `after` a part of the model, to be kept: `backbone`, its maps or a link of it.

        Raises:
            ValueError: the vectors of an instance are no grid that could be kept with it, or the
                network has no maps.
        """
        assert self.backbone is not None, "stored features pass nothing"  # noqa: S101
        if part == WHOLE:
            values = kept(self.embedded(batch), len(batch.values))
        elif part == MAPS:
            if (network := mapped(self.backbone)) is None:
                raise ValueError("the network has no maps")
            values = network.features(_within(self.seen(batch)))
        else:
            values = self.backbone.until(self.seen(batch).values, part.removeprefix(f"{WHOLE}."))
        return replace(batch, values=values, after=part)

    def _encoded(self, seen: Batch) -> Embedded:
        assert self.backbone is not None, "stored features are not encoded"  # noqa: S101
        if seen.after == WHOLE:
            return Embedded.of(seen) if seen.values.dim() == 2 else of_grid(seen)
        if seen.after == MAPS and (network := mapped(self.backbone)) is not None:
            return network.embedded(seen.values, seen)
        vectors: Embedded = self.backbone(_within(seen))
        return vectors

    def alone(self, batch: Batch) -> Answer:
        """Each instance as a case of its own, where it is one vector, without clinical columns.

        What its series has to say of a slice stays: neighbours, smoothing, a network along it.
        """
        embedded = self._in_series(self.embedded(batch), batch)
        count = len(embedded.values)
        starts = torch.arange(count + 1, device=embedded.values.device)
        bags, names = replace(embedded, starts=starts), tuple(map(str, range(count)))
        along = self._along(embedded, batch)
        said = self._decide(self.head, self._aggregated(bags), bags, along)
        return Answer(said.pooled, said.logits, names, names, instance_logits=said.each)

    def decided(self, embedded: Embedded, batch: Batch) -> Answer:
        """The answer from vectors that are there already; `batch` says whose they are."""
        bags = self._in_series(embedded, batch)
        if self.images is not None:
            bags = replace(bags, starts=image_bounds(embedded, batch))
        pooled = self._aggregated(bags)
        answer = self._answer(self.head, pooled, bags, embedded.starts, batch)
        if self.covariates is not None:
            answer = replace(answer, logits=answer.logits + self.covariates(batch.covariates))
        also = {
            name: self._answer(head, pooled, bags, embedded.starts, batch)
            for name, head in self.also.named()
        }
        return replace(answer, also=also)

    def loss(self, batch: Batch) -> Tensor:
        """What training lowers on this batch."""
        return self.cost(self(batch), batch)

    def cost(self, answer: Answer, batch: Batch) -> Tensor:
        """The same, of an answer that is there already."""
        first = self.head.loss(answer, batch)
        return first + self.also.loss(answer.also, batch) if self.also else first

    def penalty(self) -> Tensor | float:
        """What training adds for the weights themselves."""
        first = self.head.penalty()
        return first + self.also.penalty() if self.also else first

    def _aggregated(self, bags: Embedded) -> Pooled | None:
        """The bags of cases, or of images where these are judged alone; None if all instances."""
        if not isinstance(self.pool, Aggregator):
            return None
        return raised_pooled(self.pool(bags))

    def _answer(
        self, head: Head, pooled: Pooled | None, bags: Embedded, starts: Tensor, batch: Batch
    ) -> Answer:
        """What a head says of the cases, which begin at `starts`."""
        said = self._decide(head, pooled, bags, self._along(bags, batch))
        if self.images is not None:
            said = _of_cases(said, self.images, starts)
        return Answer(
            pooled=said.pooled,
            logits=said.logits,
            cases=batch.cases,
            patients=batch.patients,
            targets=batch.targets,
            instance_logits=said.each,
        )

    def _in_series(self, embedded: Embedded, batch: Batch) -> Embedded:
        """The vectors with what those before and after them add."""
        if self.sequence is None:
            return embedded
        along = self.sequence(raised(embedded.values), self._series(embedded, batch))
        return replace(embedded, values=along)

    def _series(self, embedded: Embedded, batch: Batch) -> Tensor:
        """Where series begin within the vectors, and the end."""
        if embedded.origin is not None:
            raise RecipeError(
                "model.sequence and model.smoothing go from slice to slice, and this backbone "
                "makes several vectors of one; remove them, or use another network"
            )
        return series_bounds(batch.images, batch.starts)

    def _along(self, bags: Embedded, batch: Batch) -> Tensor | None:
        """How much each instance has to say of each, where logits are smoothed."""
        if self.smoothing is None:
            return None
        weights: Tensor = self.smoothing(self._series(bags, batch), batch.position)
        return weights

    def _decide(
        self, head: Head, pooled: Pooled | None, bags: Embedded, along: Tensor | None
    ) -> "_Decided":
        """Of each bag: of a case, or of an image where images are judged on their own."""
        if pooled is not None:
            with in_full(pooled.embedding.device):
                return _Decided(pooled, head.logits(pooled.embedding))
        bags = replace(bags, values=raised(bags.values))
        with in_full(bags.values.device):
            each = head.logits(bags.values[:, None])  # [T, L]
            each = each if along is None else along @ each
        decided = self.pool(each, bags.starts)
        weights = decided.weights if along is None else along.T @ decided.weights
        return _Decided(_pooled(bags, weights, each), decided.logits, each)


@dataclass(frozen=True)
class _Decided:
    pooled: Pooled
    logits: Float[Tensor, "bags L"]
    each: Float[Tensor, "T L"] | None = None


def _of_cases(said: _Decided, rule: Pooling, starts: Tensor) -> _Decided:
    first = torch.searchsorted(said.pooled.starts, starts)  # [B + 1], counts images
    decided = rule(said.logits, first)
    pooled = joined(said.pooled, decided.weights, first)
    return replace(said, pooled=pooled, logits=decided.logits)


def _pooled(embedded: Embedded, weights: Tensor, scores: Tensor) -> Pooled:
    mixed = segment_sum(weights[..., None] * embedded.values[:, None], embedded.starts)
    return Pooled(
        embedding=mixed,  # [B, L, D]
        weights=weights,
        scores=scores,
        instances=embedded.values,
        starts=embedded.starts,
        origin=embedded.origin,
        cell=embedded.cell,
    )


def _within(seen: Batch) -> Batch:
    """As the backbone names its own links."""
    return replace(seen, after=seen.after.removeprefix(f"{WHOLE}."))


def trainable(module: nn.Module) -> int:
    """How many of a module's parameters learn."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's first parameter lies; the CPU for one without parameters."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))
