"""The same file more than once: harmless within a case, a leak between patients."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from wholecase.audit.findings import Finding
from wholecase.cohort import Case, Cohort, Image
from wholecase.core.digest import BLANK
from wholecase.sources import split_index

Copies = list[tuple[Case, Image]]


def twin_findings(cohort: Cohort, digests: Mapping[Path, str]) -> Iterator[Finding]:
    """One finding per content that occurs more than once; pictures of one colour do not count."""
    groups: dict[str, Copies] = defaultdict(list)
    for case in cohort.cases:
        for image in case.images:
            content = digests.get(image.path)
            if content is not None and not content.startswith(BLANK):
                groups[content].append((case, image))
    for copies in groups.values():
        if len(copies) > 1:
            yield _finding(copies)


def _finding(copies: Copies) -> Finding:
    where = "lines " + ", ".join(str(image.line) for _, image in copies)
    names = f"{copies[0][1].path} and {copies[1][1].path}"
    if len(copies) > 2:
        names += f" and {len(copies) - 2} more"
    noun = _noun(copies[0][1])
    patients = sorted({case.patient for case, _ in copies})
    cases = sorted({case.id for case, _ in copies})
    if len(patients) > 1:
        what = f"{names} are the same {noun} under patients {_listed(patients)}; "
        cure = "give them one patient_id or keep one, for a split that parts them stops the run"
        return Finding("error", where, what + cure, "run", f"same {noun} under two patients")
    if len(labels := sorted({case.label for case, _ in copies if case.label})) > 1:
        what = (
            f"{names} are the same {noun} under labels {_listed(labels)}; keep the one that holds"
        )
        return Finding("warning", where, what, "nothing", f"same {noun} with two labels")
    if len(cases) > 1:
        what = f"{names} are the same {noun} in cases {_listed(cases)}; keep one unless it is meant"
        return Finding("warning", where, what, "nothing", f"same {noun} in two cases")
    what = f"{names} are the same {noun} in case {cases[0]!r} and count twice; keep one"
    return Finding("warning", where, what, "nothing", f"same {noun} twice in a case")


def _noun(image: Image) -> str:
    if image.kind == "features":  # compared by their numbers, whatever file they are in
        return "feature bag"
    if image.kind == "ct":  # by a slice
        return "series"
    return "file" if split_index(image.path) is None else "picture"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(repr, names[:3])) + more
