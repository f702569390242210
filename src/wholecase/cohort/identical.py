"""The same file under two patients is one patient on two sides."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from wholecase.cohort.cases import Case, Cohort
from wholecase.cohort.split import Fold, Split
from wholecase.core.digest import BLANK, file_digest
from wholecase.core.errors import SplitError


def twin_digests(cohort: Cohort) -> dict[Path, str]:
    """The digest of each image file that has the size of another one.

    A file whose size is its own has no twin and is not read; missing files are left out.
    """
    sizes: list[tuple[Path, int]] = []
    for case in cohort.cases:
        for image in case.images:
            with contextlib.suppress(OSError, ValueError):  # missing, or a name that cannot be
                sizes.append((image.path, image.path.stat().st_size))
    times = Counter(size for _, size in sizes)
    digests: dict[Path, str] = {}
    for path, size in sizes:
        if times[size] > 1 and path not in digests:
            with contextlib.suppress(OSError):  # a folder, or no right to read
                digests[path] = file_digest(path)
    return digests


def refuse_identical(split: Split, digests: Mapping[Path, str]) -> None:
    """Pass a split in which no content stands on two sides of a fold.

    `digests` is what `twin_digests` gives, or a digest of file or pixels by image path; images
    without one are passed over, and pictures of one colour, which are alike everywhere.

    Raises:
        SplitError: two files are the same; names both, their cases and sides.
    """
    for fold in split.folds:
        seen = {side: dict(_contents(cases, digests)) for side, cases in fold.sides().items()}
        for (side, first), (other, second) in combinations(seen.items(), 2):
            if shared := next((content for content in second if content in first), None):
                raise _complaint(fold, (*first[shared], side), (*second[shared], other))


def _contents(
    cases: Sequence[Case], digests: Mapping[Path, str]
) -> Iterator[tuple[str, tuple[Case, Path]]]:
    for case in cases:
        for image in case.images:
            content = digests.get(image.path)
            if content is not None and not content.startswith(BLANK):
                yield content, (case, image.path)


def _complaint(fold: Fold, one: tuple[Case, Path, str], two: tuple[Case, Path, str]) -> SplitError:
    said = (
        f"{path} (case {case.id!r}, patient {case.patient!r}, {side} side)"
        for case, path, side in (one, two)
    )
    return SplitError(
        f"fold {fold.number} has the same image on two sides: {' and '.join(said)}; "
        "give both cases one patient_id or take one file out"
    )
