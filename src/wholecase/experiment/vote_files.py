"""What the folder of a vote has of its members, and of each fold."""

import shutil
from collections.abc import Sequence

from wholecase.core.files import read_json, write_json
from wholecase.experiment.admitting import FoldVote
from wholecase.report import Judged
from wholecase.runs import RunFolder, read_rows, write_rows


def copy_tables(runs: Sequence[Judged], folder: RunFolder) -> None:
    """Who was on which side; the cases, what any member had to leave out, and what taught it."""
    for name in ("splits", "cases"):
        source = getattr(runs[0].folder, name)
        if source.is_file():
            rows = read_rows(source)
            write_rows(getattr(folder, name), list(rows[0]), rows)
    files = [run.folder.exclusions for run in runs if run.folder.exclusions.is_file()]
    lost = {tuple(row.items()): row for file in files for row in read_rows(file)}
    columns = ("case_id", "patient_id", "path", "stage", "reason", "costs")
    write_rows(folder.exclusions, columns, lost.values())
    files = [run.folder.contents for run in runs if run.folder.contents.is_file()]
    known = {row["content"]: row for file in files for row in read_rows(file)}
    write_rows(folder.contents, ("case_id", "kind", "content"), known.values())


def write_fold(folder: RunFolder, fold: FoldVote, classes: Sequence[str]) -> None:
    """What the vote says of the inner patients, and last what was chosen on them."""
    inner, files = fold.inner, folder.fold(fold.number)
    named = [f"probability_{name}" for name in classes]
    part = {case.id: n for n, one in enumerate(inner.parts) for case in one.valid}
    rows = [
        {
            "case_id": case,
            "patient_id": patient,
            "label": classes[int(target)],
            **dict(zip(named, map(repr, shares.tolist()), strict=True)),
            "part": part[case],
        }
        for case, patient, target, shares in zip(
            inner.cases, inner.patients, inner.truth, inner.probabilities, strict=True
        )
    ]
    columns = ["case_id", "patient_id", "label", *named]
    columns += ["part"] if len(inner.parts) > 1 else []
    write_rows(files.inner, columns, [{name: row[name] for name in columns} for row in rows])
    members = [
        {"name": name, "weight": fold.weights.get(name, 0.0), **vars(standing)}
        for name, standing in fold.standings.items()
    ]
    chosen = {
        "threshold": fold.choices.threshold,
        "threshold_rule": fold.threshold_rule,
        "temperature": 1.0,
        "inner_cases": len(inner.cases),
        "inner_patients": len(set(inner.patients)),
        "members": members,
    }
    write_json(files.choices, chosen)


def copy_thumbnails(runs: Sequence[Judged], folder: RunFolder) -> None:
    """Each case as the first run that drew it shows it; where runs looked they tell themselves."""
    pictures: dict[str, dict[str, str]] = {}
    for run in runs:
        drawn = read_json(run.folder.pictures) if run.folder.pictures.is_file() else {}
        for case, entry in drawn.items():
            source = run.folder.root / str(entry.get("thumbnail") or "")
            if case in pictures or not source.is_file():
                continue
            target = folder.picture(case, f"thumbnail{source.suffix}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            pictures[case] = {"thumbnail": target.relative_to(folder.root).as_posix()}
    write_json(folder.pictures, pictures)
