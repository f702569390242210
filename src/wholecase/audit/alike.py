"""Images that show the same: a leak between patients, worth a count within one."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wholecase.audit.findings import Finding
from wholecase.audit.likeness import like_pairs
from wholecase.audit.look import Look
from wholecase.audit.sight import SMALL_PX

Group = tuple[Look, ...]


@dataclass(frozen=True)
class Alike:
    """Groups of images that show the same picture, turned or not, in files that differ."""

    across: tuple[Group, ...]
    """Those of several patients; the ones of several labels first."""
    within: tuple[Group, ...]
    """Those of one patient each."""
    compared: int
    """Images that could be compared."""
    too_many: int = 0
    """Images that were not, because all with all would take too long."""


def alike_of(looks: Sequence[Look], digests: Mapping[Path, str]) -> Alike:
    """Group the images by what they show; the same file twice is another finding's."""
    seen = [(look, look.sight.small) for look in looks if look.sight.small is not None]
    smalls = np.array([np.frombuffer(small, np.uint8) for _, small in seen], np.uint8)
    pairs = like_pairs(smalls.reshape(-1, SMALL_PX, SMALL_PX))
    groups = [
        tuple(seen[i][0] for i in group)
        for group in _connected(pairs.tolist())
        if len({_content(seen[i][0], digests) for i in group}) > 1
    ]
    # those whose labels contradict each other are looked at first
    groups.sort(key=lambda group: len({look.case.label for look in group}) == 1)
    across = [group for group in groups if len(_patients(group)) > 1]
    within = [group for group in groups if len(_patients(group)) == 1]
    pictures = [s for s in (look.sight for look in looks) if s.features is None and s.slices == 1]
    too_many = sum(sight.content is not None and sight.small is None for sight in pictures)
    return Alike(tuple(across), tuple(within), len(seen), too_many)


def alike_findings(alike: Alike) -> Iterator[Finding]:
    """One warning per group under several patients, and one for labels that contradict."""
    for group in alike.across:
        one, other = _apart(group, lambda look: look.case.patient)
        what = (
            f"{one.image.path} (patient {one.case.patient!r}{_label(one)}) and {other.image.path} "
            f"(patient {other.case.patient!r}{_label(other)}) show the same{_more(group)}; look at "
            "both and give them one patient_id if they are one patient"
        )
        yield Finding("warning", _where(group), what, "nothing", "same picture under two patients")
    for group in alike.within:
        if len({look.case.label for look in group}) > 1:
            one, other = _apart(group, lambda look: look.case.label)
            what = (
                f"{one.image.path} ({one.case.label}) and {other.image.path} ({other.case.label}) "
                f"show the same{_more(group)}; make sure that both labels are meant"
            )
            yield Finding("warning", _where(group), what, "nothing", "same picture with two labels")


def _connected(pairs: Sequence[Sequence[int]]) -> list[list[int]]:
    """The groups that pairs link, each ascending, in the order of their first members."""
    root: dict[int, int] = {}

    def find(i: int) -> int:
        while root.setdefault(i, i) != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for i, j in pairs:
        low, high = sorted((find(i), find(j)))
        root[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for i in sorted(root):
        groups[find(i)].append(i)
    return list(groups.values())


def _content(look: Look, digests: Mapping[Path, str]) -> str:
    return digests.get(look.image.path, str(look.image.path))


def _patients(group: Group) -> set[str]:
    return {look.case.patient for look in group}


def _apart(group: Group, trait: Callable[[Look], str | None]) -> tuple[Look, Look]:
    """The first image and the first one that differs from it."""
    return group[0], next(look for look in group if trait(look) != trait(group[0]))


def _more(group: Group) -> str:
    return f", with {len(group) - 2} more" if len(group) > 2 else ""


def _label(look: Look) -> str:
    return f", {look.case.label}" if look.case.label else ""


def _where(group: Group) -> str:
    lines = [str(look.image.line) for look in group[:5]]
    return f"lines {', '.join(lines)}{', ...' if len(group) > 5 else ''}"
