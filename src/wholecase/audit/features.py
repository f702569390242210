"""What is notable about a cohort's feature files: mixed, or read all the same and doubtful."""

from collections.abc import Iterator, Sequence

from wholecase.audit.findings import Finding
from wholecase.audit.look import Look
from wholecase.features import doubt, mixture


def feature_findings(looks: Sequence[Look], identity: str | None) -> Iterator[Finding]:
    """One finding for all files together, and those of each; the same words as a run's.

    `identity` is the encoder's name where the recipe tells it.
    """
    files = [(look.image.path, origin) for look in looks if (origin := look.sight.features)]
    if files and (why := mixture(files, identity)):
        yield Finding("error", "features", why, "run", "mixed feature files")
    elif files and (why := doubt(files)):
        yield Finding("warning", "features", why, "nothing", "features like those of two encoders")
    for look in looks:
        if look.sight.numbers is not None:
            for problem, figures in look.sight.numbers.remarks():
                what = f"{look.image.path}: {figures}; make sure that it was extracted to its end"
                yield Finding("warning", look.where, what, "nothing", problem)
