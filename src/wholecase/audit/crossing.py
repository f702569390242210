"""Images of several patients that are one's, on two sides of a division: what would leak."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from wholecase.audit.alike import alike_of
from wholecase.audit.look import Look
from wholecase.audit.origins import origin_of
from wholecase.audit.sight import Sight
from wholecase.audit.thumbnails import thumbnails
from wholecase.cohort import Case, Fold, Image, identity_key

MOST_PAIRS = 1000
"""So many pairs of images that cross are told; one is enough to stop."""

Why = Literal["picture", "name"]
Groups = Mapping[Why, Sequence[Sequence[Look]]]
"""Images of several patients each, by why they are taken to be of one."""
WORDS: dict[Why, str] = {
    "picture": "show the same picture",
    "name": "are of one slide or patient by their names",
}


@dataclass(frozen=True)
class Crossing:
    """Two images that ought to stand on one side."""

    fold: int
    why: Why
    sides: tuple[str, str]
    cases: tuple[str, str]
    patients: tuple[str, str]
    paths: tuple[str, str]

    def to_json(self) -> dict[str, Any]:
        """As `copies.json` holds it."""
        return asdict(self)

    def __str__(self) -> str:
        one, other = (
            f"{path} (case {case!r}, patient {patient!r}, {side} side)"
            for path, case, patient, side in zip(
                self.paths, self.cases, self.patients, self.sides, strict=True
            )
        )
        return f"{one} and {other} {WORDS[self.why]}"


def of_several_patients(
    pairs: Sequence[tuple[Case, Image]], contents: Mapping[Path, str], keep: Path, workers: int
) -> tuple[Groups, int]:
    """The groups, and how many images could be compared by what they show.

    Args:
        pairs: cases with their images, each of which can be read.
        contents: digests of files or pixels.
        keep: folder in which thumbnails are kept.
        workers: processes that open images.
    """
    images = [image for _, image in pairs]
    smalls = thumbnails(images, [contents.get(i.path, "") for i in images], keep, workers)
    looks = [
        Look(case, image, Sight(small=small))
        for (case, image), small in zip(pairs, smalls, strict=True)
    ]
    alike = alike_of(looks, contents)
    named: dict[str, list[Look]] = defaultdict(list)
    for look in looks:
        if (origin := origin_of(look.image.path)) is not None:
            named[origin].append(look)
    by_name = [tuple(own) for own in named.values() if len({_whose(look) for look in own}) > 1]
    return {"picture": alike.across, "name": by_name}, alike.compared


def crossings(groups: Groups, fold: Fold) -> Iterator[Crossing]:
    """The pairs of a fold, one of each group and pair of patients; up to `MOST_PAIRS`."""
    side_of = {case.id: side for side, cases in fold.sides().items() for case in cases}
    count = 0
    for why, looks in ((why, looks) for why, all_looks in groups.items() for looks in all_looks):
        first: dict[str, Look] = {}
        for look in looks:
            if look.case.id in side_of:
                first.setdefault(_whose(look), look)
        for one, other in combinations(first.values(), 2):
            sides = side_of[one.case.id], side_of[other.case.id]
            if sides[0] != sides[1] and count < MOST_PAIRS:
                count += 1
                yield Crossing(
                    fold.number,
                    why,
                    sides,
                    (one.case.id, other.case.id),
                    (one.case.patient, other.case.patient),
                    (str(one.image.path), str(other.image.path)),
                )


def _whose(look: Look) -> str:
    return identity_key(look.case.patient)
