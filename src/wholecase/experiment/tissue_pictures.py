"""What was taken as tissue on each slide, copied into the run: a report needs no store."""

from typing import Any

from wholecase.cohort import Cohort
from wholecase.core.files import safe_name, write_bytes, write_json
from wholecase.extract import Extraction
from wholecase.runs import RunFolder


def keep_tissue(run: RunFolder, cohort: Cohort, extraction: Extraction) -> None:
    """Write `tissue.json` and its pictures; nothing where no image was searched for tissue."""
    entries: list[dict[str, Any]] = []
    for case in cohort.cases:
        for number, image in enumerate(case.images):
            picture = extraction.picture(image)
            if picture is None:
                continue
            kept = run.root / "pictures" / f"{safe_name(case.id)}-tissue{number}.jpg"
            write_bytes(kept, picture.read_bytes())
            entry = {
                "case": case.id,
                "image": image.path.name,
                "picture": kept.relative_to(run.root).as_posix(),
                "instances": extraction.instances(image),
            }
            squares = extraction.squares(image)
            entries.append(entry if squares is None else {**entry, "squares": squares})
    if entries:
        write_json(run.tissue, entries)
