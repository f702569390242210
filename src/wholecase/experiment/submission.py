"""Answers as challenges ask for them: `image_id,label`, a row an image."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from wholecase.answer import Judgement
from wholecase.cohort import Case, some
from wholecase.core.errors import ManifestError
from wholecase.runs import write_rows


def refuse_unnamed(cases: Sequence[Case]) -> None:
    """Pass if each case is one image, and no two have the same name.

    Raises:
        ManifestError: the rows would not tell which image they are of.
    """
    if several := [case.id for case in cases if len(case.images) != 1]:
        raise ManifestError(
            f"a submission has a row for each image, and cases {some(several)} have several; use "
            "--out, which has a row for each case"
        )
    times = Counter(_name(case) for case in cases)
    if twice := sorted(name for name, n in times.items() if n > 1):
        raise ManifestError(
            f"images of the same name cannot be told apart in a submission: {some(twice)}; name "
            "each once"
        )


def write_submission(path: Path, judgements: Sequence[Judgement]) -> None:
    """Write the stem of each image's file and the number of its class, counted from 0.

    Names that are numbers stand in the order of these; others follow in that of the alphabet.
    """
    rows = sorted(
        ({"image_id": _name(one.case), "label": one.decision} for one in judgements),
        key=lambda row: _place(str(row["image_id"])),
    )
    write_rows(path, ("image_id", "label"), rows)


def _name(case: Case) -> str:
    return case.images[0].path.stem


def _place(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdigit()
    return not is_number, int(name) if is_number else 0, name
