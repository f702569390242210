"""What others made is tried on three instances before a cohort meets it."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models import Aggregator, Answer, CaseModel, Embedded, Pooled

STARTS = (0, 2, 3)
"""Two cases: one of two instances, and one of one."""
CLOSE = 1e-4


def is_foreign(part: nn.Module) -> bool:
    """Whether it is not the house's own."""
    return not type(part).__module__.startswith("wholecase.")


def try_foreign(model: CaseModel, width: int) -> None:
    """Pass a model whose aggregator and head, where others made them, keep what they promise.

    Args:
        model: fresh; it is left as it was, but for learning, which is off.
        width: of the vectors that are pooled.

    Raises:
        RecipeError: one fails, or gives something else than the interface asks for.
    """
    pool, head = model.pool.eval(), model.head.eval()
    vectors = torch.linspace(-1, 1, STARTS[-1] * width).reshape(STARTS[-1], width)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        if is_foreign(pool) and isinstance(pool, Aggregator):
            told = _tried(pool, lambda: pool(Embedded(vectors, torch.tensor(STARTS))))
            _check_pooled(pool, told)
        if is_foreign(head) and not head.remembers and isinstance(pool, Aggregator):
            pooled = pool(Embedded(vectors, torch.tensor(STARTS)))
            logits = _tried(head, lambda: head.logits(pooled.embedding))
            answer = Answer(pooled, logits, ("a", "b"), ("a", "b"))
            _check_rows(head, _tried(head, lambda: head.probabilities(answer)))


def _tried(part: nn.Module, ask: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return ask()
    except RecipeError:
        raise
    except Exception as error:  # a stranger's part raises whatever it likes
        raise _error(
            part, f"fails on three instances ({type(error).__name__}: {error}); mend it"
        ) from error


def _check_pooled(pool: Aggregator, told: Pooled) -> None:
    cases, rows, k = len(STARTS) - 1, STARTS[-1], pool.branches
    wanted = {
        "embedding": (cases, k, pool.embedding_width),
        "weights": (rows, k),
        "scores": (rows, k),
    }
    for name, shape in wanted.items():
        given = tuple(getattr(told, name).shape)
        if given != shape:
            raise _error(
                pool,
                f"gives {name} {list(given)} of two cases and three instances, and they "
                f"must be {list(shape)}",
            )
    _check_weights(pool, told.weights)


def _check_weights(pool: Aggregator, weights: Float[Tensor, "T K"]) -> None:
    if not bool((weights >= 0).all()):
        raise _error(pool, "gives weights below 0 or undefined ones, and they must be 0 or more")
    for start, end in pairwise(STARTS):
        for total in weights[start:end].sum(0).tolist():
            if abs(total - 1) > CLOSE:
                raise _error(
                    pool,
                    f"gives weights that sum to {total:.4g} within a case, and they must sum to 1",
                )


def _check_rows(head: nn.Module, rows: Float[Tensor, "B C"]) -> None:
    for total in rows.sum(1).tolist():
        if abs(total - 1) > CLOSE:
            raise _error(
                head,
                f"gives probabilities that sum to {total:.4g} for a case, and they must sum to 1",
            )


def _error(part: nn.Module, what: str) -> RecipeError:
    kind = "aggregator" if isinstance(part, Aggregator) else "head"
    return RecipeError(f"the {kind} {type(part).__name__} of {type(part).__module__} {what}")
