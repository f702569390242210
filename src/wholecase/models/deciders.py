"""Learning from the instances that decide: the others are scored, and nothing is kept of them.

All instances go forward without a graph, block by block where there are many. Where the gradient
comes back it is known how much of it each of them gets; those that a rule chooses then go through
the network once more, with a graph.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.dropout import Rows
from wholecase.models.running import room

LEAST = 64
"""Instances that are drawn at least, where there are so many: of a handful a gradient is right on
average and noise in each step."""
STRETCH = 65_536
"""Rows of a gradient of which the lengths are told at once."""
Run = Callable[[Tensor, Rows | None], tuple[Tensor, ...]]
"""A network: values of instances -> vectors, as many rows of each as instances or, where several
come from one, as many as `origin` has. With rows it is given these instances alone, and draws for
them what it drew for all."""


@dataclass(frozen=True)
class Few:
    """Which instances a gradient goes through; by default all that have any part in it.

    An instance's part in a gradient is the length of its own divided by the sum of all lengths, and
    the sum of that over the outputs of the network.
    """

    share: float = 1.0
    """So many of the instances, 64 at least, drawn in proportion to their part (certainly where it
    is large) and weighed by one over the chance: the mean over draws is the gradient itself."""
    tolerance: float = 0.0
    """Of the parts of each output's gradient so much may be left out, the smallest first."""

    def __post_init__(self) -> None:
        for name, value, top in (("backward", self.share, 1.0), ("tolerance", self.tolerance, 0.0)):
            if not 0 <= value <= 1 or value == 1 - top:
                raise RecipeError(f"model.aggregator.{name} is {value!r}; give a share of 0 to 1")
        if self.share < 1 and self.tolerance > 0:
            raise RecipeError(
                "model.aggregator.backward draws instances and tolerance leaves some out; use one"
            )

    def chosen(self, parts: Float[Tensor, " T"]) -> tuple[Int[Tensor, " W"], Float[Tensor, " W"]]:
        """The instances in rising order, and by what the gradient of each is multiplied."""
        if not bool(torch.isfinite(parts).all()):  # somebody has to see that
            return torch.arange(len(parts), device=parts.device), torch.ones_like(parts)
        if self.share < 1:
            chance = _chances(parts, max(LEAST, round(self.share * len(parts))))
            rows = _drawn(chance).nonzero()[:, 0]
            return rows, (1 / chance[rows]).to(parts.dtype)
        rising = parts.double().sort()
        left: Bool[Tensor, " T"] = rising.values.cumsum(0) <= self.tolerance
        rows = rising.indices[~left].sort().values
        return rows, parts.new_ones(len(rows))


DECIDING = Few()
"""All instances that have any part in the gradient, and no others: it stays what it is."""


def is_each_alone(network: nn.Module) -> bool:
    """Whether an instance comes out the same, whoever is with it and whenever it is asked.

    Not where BatchNorm takes its statistics from those at hand, while it learns or where it keeps
    none, nor where dropout or stochastic depth draws for each.
    """
    return not any(_mixes(module) for module in network.modules())


def learns(network: nn.Module) -> bool:
    """Whether a gradient of the network is wanted."""
    return torch.is_grad_enabled() and any(p.requires_grad for p in network.parameters())


def through_few(
    run: Run,
    values: Tensor,
    parameters: Iterable[Tensor],
    few: Few = DECIDING,
    origin: Callable[[], Int[Tensor, " V"] | None] = lambda: None,
    block: int | None = None,
) -> tuple[Tensor, ...]:
    """What the network makes of all instances, learning from those that `few` chooses.

    Args:
        run: the network.
        values: of the instances, [T, ...].
        parameters: of the network; only those that learn get a gradient.
        few: the rule.
        origin: tells, once the network has run, which instance each row of its outputs came from;
            None where row t is that of instance t.
        block: most instances that the network is given at once, both ways; None where it is given
            all, as it must be where `origin` tells something.
    """
    learning = [p for p in parameters if p.requires_grad]
    block = max(len(values), 1) if block is None else block
    outputs: tuple[Tensor, ...] = _ThroughFew.apply(run, few, origin, block, values, *learning)
    return outputs


@final
class _ThroughFew(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        run: Run,
        few: Few,
        origin: Callable[[], Tensor | None],
        block: int,
        values: Tensor,
        *parameters: Tensor,
    ) -> tuple[Tensor, ...]:
        kind = values.device.type
        ctx.lowered = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
        ctx.run, ctx.few, ctx.block, ctx.drawn = run, few, block, []
        outputs: tuple[Tensor, ...] = ()
        for begin in range(0, max(len(values), 1), block):
            ctx.drawn.append(_state(values.device))
            part = run(values[begin : begin + block], None)
            if not begin:
                outputs = (
                    part if block >= len(values) else tuple(room(one, len(values)) for one in part)
                )
            if block < len(values):
                for output, of_block in zip(outputs, part, strict=True):
                    output[begin : begin + block] = of_block
        torch.clear_autocast_cache()  # of weights that were lowered without a graph
        ctx.origin = origin()
        ctx.values = values  # which the batch holds anyway
        ctx.save_for_backward(*parameters)
        return outputs

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        values, parameters = ctx.values, list(ctx.saved_tensors)
        rows, factor = ctx.few.chosen(_parts(gradients, ctx.origin, len(values)))
        found: list[Tensor | None] = [None] * len(parameters)
        to_values = torch.zeros_like(values) if ctx.needs_input_grad[4] else None
        if not len(rows):
            return (None, None, None, None, to_values, *map(torch.zeros_like, parameters))
        for number, drawn in enumerate(ctx.drawn):
            begin = number * ctx.block
            ends = torch.tensor([begin, begin + ctx.block], device=rows.device)
            first, last = torch.searchsorted(rows, ends).tolist()
            if first == last:
                continue
            chosen = _Chosen(rows[first:last], factor[first:last], begin)
            part, given = _again(ctx, chosen, drawn, (gradients, parameters))
            if to_values is not None and part is not None:
                to_values.index_copy_(0, chosen.rows, part)
            found = [_sum(one, two) for one, two in zip(found, given, strict=True)]
        return (None, None, None, None, to_values, *found)


@dataclass(frozen=True)
class _Chosen:
    """Instances of one block that a gradient goes through."""

    rows: Int[Tensor, " W"]
    factor: Float[Tensor, " W"]
    begin: int
    """Of the block."""


def _again(
    ctx: Any,  # noqa: ANN401
    chosen: _Chosen,
    drawn: tuple[Tensor, Tensor | None],
    tensors: tuple[Sequence[Tensor], list[Tensor]],
) -> tuple[Tensor | None, list[Tensor | None]]:
    """Gradients of the chosen values, if they are wanted, and of the parameters."""
    (gradients, parameters), values = tensors, ctx.values
    there, factor = chosen.rows, chosen.factor
    if ctx.origin is not None:
        there = torch.isin(ctx.origin, chosen.rows).nonzero()[:, 0]
        factor = factor[torch.searchsorted(chosen.rows, ctx.origin[there])]
    part = values[chosen.rows].detach()
    part.requires_grad_(ctx.needs_input_grad[4])
    asked = [part, *parameters] if part.requires_grad else parameters
    count = min(ctx.block, len(values) - chosen.begin)
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_drawing_again(drawn, values.device))
        lowered, kind = ctx.lowered
        stack.enter_context(torch.autocast(values.device.type, kind, enabled=lowered))
        outputs = ctx.run(part, Rows(chosen.rows - chosen.begin, count))
    upstream = [g[there] * factor.view(-1, *[1] * (g.dim() - 1)).to(g.dtype) for g in gradients]
    told = torch.autograd.grad(outputs, asked, upstream, allow_unused=True)
    found: list[Tensor | None] = list(told)
    return (found.pop(0) if part.requires_grad else None), found


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _parts(gradients: Sequence[Tensor], origin: Tensor | None, count: int) -> Float[Tensor, " T"]:
    """Each instance's part in the gradients of all outputs."""
    whole: Tensor = gradients[0].new_zeros(count, dtype=torch.float32)
    for gradient in gradients:
        rows = torch.split(
            gradient.flatten(1), STRETCH
        )  # not of all at once: it may have to be copied
        lengths = torch.cat([some.float().norm(dim=1) for some in rows])
        if origin is not None:
            lengths = torch.zeros_like(whole).index_add(0, origin, lengths)
        total = lengths.sum()
        if bool(total != 0):
            whole = whole + lengths / total
    return whole


def _chances(parts: Float[Tensor, " T"], count: int) -> Float[Tensor, " T"]:
    """In proportion to the parts, none above 1, and so many together."""
    parts = parts.double()
    count = min(count, int((parts > 0).sum()))
    falling = parts.sort(descending=True).values
    tails = falling.flip(0).cumsum(0).flip(0)  # sums from each on
    left = count - torch.arange(len(parts), device=parts.device)
    # the first from which on the proportion holds; all before it are certain
    certain = int((left * falling > tails).sum())
    if certain >= count:
        return (parts >= falling[max(count - 1, 0)]).double() * (parts > 0)
    scale = (count - certain) / tails[certain]
    return (parts * scale).clamp_max(1.0)


def _drawn(chance: Float[Tensor, " T"]) -> Bool[Tensor, " T"]:
    """Systematic sampling: each with its chance, as many as these add up to, along the bags."""
    along = chance.cumsum(0) - torch.rand((), dtype=chance.dtype, device=chance.device)
    reached = along.floor()
    before = torch.cat([reached.new_full((1,), -1.0), reached[:-1]])
    return (reached > before) | (chance >= 1)


def _state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    of_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), of_device


def _drawing_again(drawn: tuple[Tensor, Tensor | None], device: torch.device) -> ExitStack:
    """Where what is drawn is what was drawn from that state on."""
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
        torch.set_rng_state(drawn[0])
        if drawn[1] is not None:
            torch.cuda.set_rng_state(drawn[1], device)
        return stack.pop_all()


def _mixes(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return module.training or module.running_mean is None
    if not module.training:
        return False
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    return bool(getattr(module, "drop_prob", 0))  # of timm's stochastic depth
