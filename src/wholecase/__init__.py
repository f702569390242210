"""All images of a medical case in, one honest, explained answer per patient out.

>>> import wholecase
>>> run = wholecase.run("egfr-clam", "cohort.csv", "runs/x")  # doctest: +SKIP
>>> run.metrics["auroc"]  # doctest: +SKIP
Interval(value=0.84, low=0.77, high=0.9, n=212)
"""

from typing import TYPE_CHECKING, Any

from wholecase.core.version import VERSION as __version__  # noqa: N811 (the name by convention)

__all__ = ["Judgement", "Run", "__version__", "open_run", "read_cohort", "run", "vote"]

if TYPE_CHECKING:
    from wholecase.api import Judgement, Run, open_run, read_cohort, run, vote


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever is asked for)
    """The names of `wholecase.api`, loaded when first asked for: `import wholecase` is instant."""
    if name not in __all__:
        raise AttributeError(f"module 'wholecase' has no attribute {name!r}")
    from wholecase import api

    return getattr(api, name)
