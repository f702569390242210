"""Which cases taught a run: by their files, by what these show, or by their patients.

An answer about such a case is memory, and says nothing of how the run does elsewhere.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wholecase.answer.additions import additions_of
from wholecase.cohort import Case, Fold, Image, likeness_key
from wholecase.core.digest import BLANK
from wholecase.core.progress import progress
from wholecase.extract import Extraction
from wholecase.runs import RunFolder, read_rows, write_rows
from wholecase.sources import fingerprint, split_index

TAUGHT = ("train", "valid")
"""Sides of a fold that its model was learnt or chosen on."""


@dataclass(frozen=True)
class Seen:
    """Whom and what a run was taught by."""

    patients: frozenset[str]
    """Their `likeness_key`."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """Digest -> `file` or `picture`."""

    @classmethod
    def of(cls, run: RunFolder) -> "Seen":
        """What the folder tells, later additions among it; nobody where it tells nothing."""
        rows = read_rows(run.splits) if run.splits.is_file() else []
        taught = (row["patient_id"] for row in rows if row["side"] in TAUGHT)
        known = read_rows(run.contents) if run.contents.is_file() else []
        contents = {row["content"]: row["kind"] for row in known}
        patients = set(map(likeness_key, taught))
        for addition in additions_of(run):
            contents |= addition["contents"]
            patients |= {likeness_key(one["patient_id"]) for one in addition["cases"]}
        return cls(frozenset(patients), contents)

    def by(self, case: Case, extraction: Extraction) -> str:
        """By what a case with a bag is known, the surest first; no text for a new one."""
        own = dict(contents_of(case, extraction)) if self.contents else {}
        return self._by({self.contents[name] for name in own if name in self.contents}, case)

    def by_file(self, case: Case, image: Image) -> str:
        """The same of an image that can be read and has no bag."""
        known = self.contents.get(fingerprint(image.path)) if self.contents else None
        return self._by({known} - {None}, case)

    def _by(self, kinds: set[str | None], case: Case) -> str:
        if kinds:
            return "file" if "file" in kinds else "picture"
        return "patient" if likeness_key(case.patient) in self.patients else ""


def contents_of(case: Case, extraction: Extraction) -> Iterator[tuple[str, str]]:
    """Digest and kind (`file`, `picture`) of what a case shows, pictures of one colour excepted.

    A picture is known by its decoded pixels where a network sees them, else by its features: the
    same picture saved anew is encoded to the same numbers.
    """
    for image in case.images:
        if not extraction.has(image):
            continue
        key = extraction.key(image)  # begins with the digest of the file
        if split_index(image.path) is None and not key.startswith(BLANK):
            yield key.partition("-")[0], "file"
        content = extraction.digests.get(image.path, BLANK)
        if not content.startswith(BLANK):
            yield content, "picture"
        if extraction.kind is None and (bag := extraction.bag(image)) is not None:
            vectors = hashlib.sha256(np.ascontiguousarray(bag.values).data)
            yield vectors.hexdigest()[:20], "picture"


def write_contents(run: RunFolder, folds: Sequence[Fold], extraction: Extraction) -> None:
    """Write `contents.csv`: of each case that taught a fold the digests of what it shows."""
    taught = {case.id: case for fold in folds for case in (*fold.train, *fold.valid)}
    rows: dict[str, dict[str, object]] = {}
    with progress("contents", len(taught), "cases") as advance:
        for case in taught.values():
            for content, kind in contents_of(case, extraction):
                rows.setdefault(content, {"case_id": case.id, "kind": kind, "content": content})
            advance()
    write_rows(run.contents, ("case_id", "kind", "content"), rows.values())
